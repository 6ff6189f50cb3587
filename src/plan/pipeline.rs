//! The flat pipeline file that `init --from` and `bootstrap --from` import (koru §1.1).
