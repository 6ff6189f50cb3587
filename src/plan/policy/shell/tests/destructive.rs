//! The check as a table: what each text destroys. Only strings, never run.

use super::{Destructive, all, harmless};

/// Spellings of wiping the system or a home folder.
const WIPES: &[&str] = &[
    "rm -rf /",
    "rm -fr /",
    "rm -r -f /",
    "rm -f -r /",
    "rm -Rf /",
    "rm -r /",
    "rm --recursive --force /",
    "rm --rec --for /",
    "rm -rfv --one-file-system /",
    "rm -rf --no-preserve-root /",
    "rm -rf -- /",
    "rm / -rf",
    "rm -rf //",
    "rm -rf /.",
    "rm -rf /*",
    "rm -rf /.*",
    "rm -rf '/'",
    "rm -rf \"/\"",
    "rm -rf /{bin,etc}",
    "rm -rf /tmp/..",
    "rm -rf build /",
    "rm -rf ~",
    "rm -rf ~/",
    "rm -rf ~/*",
    "rm -rf ~root",
    "rm -rf $HOME",
    "rm -rf \"$HOME\"",
    "rm -rf \"${HOME}\"/",
    "rm -rf ${HOME:?}/*",
    "rm -rf $HOME/.",
    "rm -rf /home",
    "rm -rf /home/*",
    "rm -rf /home/me",
    "rm -rf /etc/",
    "rm -rf /usr/*",
    "/bin/rm -rf /",
    "sudo rm -rf /",
    "sh -c 'rm -rf /'",
    "D=/; rm -rf $D",
    "for d in build /; do rm -rf \"$d\"; done",
    "rm -rf ${X:-/}",
    "rm -rf $X/",
    "rm -rf \"$X\"/*",
    "cd / && rm -rf *",
    "cd ~; rm -rf .",
    "cd && rm -rf ./*",
    "echo / | xargs rm -rf",
    "find . -exec rm -rf / \\;",
    "find / -delete",
    "find / -exec rm -rf {} +",
    "rm -rf /$DIR",
    "rm -rf \"/home/$USER\"",
    "rm -rf /b*",
    "rm -rf /[a-z]*",
    "r$x''m -rf /",
    "rm${IFS}-rf${IFS}/",
    "chmod -R 777 /",
    "chown -R me ~",
];

/// Removals that are ordinary work.
const NO_WIPES: &[&str] = &[
    "rm -rf /var/cache/x",
    "rm -rf /tmp/build",
    "rm -rf /tmp/*",
    "rm -rf ./build target dist/*",
    "rm -rf *",
    "rm -rf node_modules/.cache",
    "rm -rf ~/.cache/x",
    "rm -rf $HOME/.cache/x",
    "rm -rf \"$BUILD\"",
    "rm -rf \"${BUILD:?}\"/*",
    "rm -rf \"$BUILD/out\"",
    "rm -rf \"$(mktemp -d)\"/",
    "rm -f /",
    "rm /tmp/x -f",
    "rm -rf '~'",
    "rm -rf '$HOME'",
    "echo rm -rf /",
    "(cd / && ls); rm -rf *",
    "cd /; cd build; rm -rf *",
    "find . -name '*.o' -delete",
    "find / -name core -exec rm {} +",
    "rm -rf \"/tmp/$DIR\"",
    "rm -rf target/*.d",
    "find ~ -name '*.tmp' -delete",
    "chmod -R u+w build",
    "chmod 700 ~",
];

/// Other ways to destroy.
const DESTROYS: &[&str] = &[
    "dd if=/dev/zero of=x",
    "dd of=/dev/sda",
    "mkfs /dev/sdb1",
    "mkfs.ext4 /dev/sdb1",
    "echo x > /dev/sda",
    "cat x >/dev/nvme0n1",
    "cat x >| /dev/sda1",
    "cat x &> /dev/sda",
    "cat x 1>/dev/sda",
    "tee /dev/sda < x",
    "cp x /dev/vda",
    "shutdown -h now",
    "reboot",
    "sudo reboot",
    "/sbin/reboot",
    "systemctl reboot",
    "init 0",
    "kill -9 -1",
    ":(){ :|:& };:",
    "b() { b | b & }; b",
    "git reset --hard HEAD~",
    "git reset --hard HEAD~3",
    "git reset --hard HEAD^",
    "git reset --hard origin/main",
];

/// Their harmless lookalikes.
const DESTROYS_NOT: &[&str] = &[
    "add if=x",
    "add if=/dev/zero",
    "echo dd if=/dev/zero",
    "echo x > /dev/null 2>&1",
    "cat x > /dev/stdout",
    "cat < /dev/sda",
    "echo x >&2",
    "./reboot-test.sh",
    "pytest -k reboot",
    "echo shutdown",
    "case $1 in start) true;; shutdown|reboot) false;; esac",
    "reboot() { true; }",
    "f() { g | h & }; f",
    "git reset --hard",
    "git reset --hard HEAD",
    "git reset HEAD~",
    "kill -9 123",
    "systemctl status x",
    "mkdir mkfs",
];

#[test]
fn wiping_the_root_or_a_home_in_any_spelling() {
    all(Destructive, WIPES);
    harmless(NO_WIPES);
}

#[test]
fn other_ways_to_destroy() {
    all(Destructive, DESTROYS);
    harmless(DESTROYS_NOT);
}
