//! Rings among blockers, found without recursion.

use std::collections::HashMap;

/// One ring for every edge that closes one, as ids with the first repeated at the end. `edges[i]` are the indices that
/// node `i` waits for.
pub(crate) fn rings<'a>(ids: &[&'a str], edges: &[Vec<usize>]) -> Vec<Vec<&'a str>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::New; ids.len()];
    let mut rings = Vec::new();
    for start in 0..ids.len() {
        if marks[start] != Mark::New {
            continue;
        }
        // Each entry: node, and how many of its edges were followed.
        let mut path = vec![(start, 0_usize)];
        marks[start] = Mark::OnPath;
        while let Some((node, followed)) = path.last_mut() {
            let node = *node;
            let Some(next) = edges[node].get(*followed).copied() else {
                marks[node] = Mark::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            match marks[next] {
                Mark::New => {
                    marks[next] = Mark::OnPath;
                    path.push((next, 0));
                }
                Mark::OnPath => {
                    let from = path.iter().position(|(node, _)| *node == next).unwrap_or(0);
                    let mut ring: Vec<&str> = path[from..].iter().map(|(node, _)| ids[*node]).collect();
                    ring.push(ids[next]);
                    rings.push(ring);
                }
                Mark::Done => {}
            }
        }
    }
    rings
}

/// The index of each id; of an id that stands twice the first.
pub(super) fn positions<'a>(ids: &[&'a str]) -> HashMap<&'a str, usize> {
    let mut positions = HashMap::new();
    for (index, id) in ids.iter().enumerate() {
        positions.entry(*id).or_insert(index);
    }
    positions
}
