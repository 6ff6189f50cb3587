//! Who waits for whom: the edges of `blocked_by` over all tickets, dependants by blocker, and the rings.
//!
//! Tickets are named by their index in the caller's list. Everything is iterative and linear in tickets and edges: a
//! chain of 10,000 tickets neither recurses nor is walked once a ticket.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::MAX_NAMED;
use crate::plan::ticket::{Ticket, TicketId};

/// The edges between tickets, by index.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    tickets: &'a [Arc<Ticket>],
    index: HashMap<&'a str, usize>,
    /// For each ticket the unfinished tickets that name it as a blocker; empty for finished ones.
    dependants: Vec<Vec<usize>>,
    rings: Vec<Option<RingPlace>>,
}

/// A ring that a ticket is caught in.
#[derive(Clone, Debug)]
struct RingPlace {
    ring: Arc<[usize]>,
    /// Where the ticket itself stands on it; 0 when it is caught in the same knot but not on this very ring.
    at: usize,
}

impl<'a> Graph<'a> {
    /// Reads the edges.
    pub(super) fn new(tickets: &'a [Arc<Ticket>]) -> Self {
        let mut index = HashMap::with_capacity(tickets.len());
        for (at, ticket) in tickets.iter().enumerate() {
            index.entry(ticket.id.as_str()).or_insert(at);
        }
        let mut waits = vec![Vec::new(); tickets.len()];
        let mut dependants = vec![Vec::new(); tickets.len()];
        let mut seen = HashSet::new();
        for (at, ticket) in tickets.iter().enumerate() {
            if ticket.blocked_by.is_empty() || !is_live(ticket) || index.get(ticket.id.as_str()) != Some(&at)
            {
                continue;
            }
            seen.clear();
            for blocker in &ticket.blocked_by {
                let Some(&blocker) = index.get(blocker.as_str()) else { continue };
                if is_live(&tickets[blocker]) && seen.insert(blocker) {
                    waits[at].push(blocker);
                    dependants[blocker].push(at);
                }
            }
        }
        let rings = rings(&waits);
        Graph { tickets, index, dependants, rings }
    }

    /// The ticket with this id.
    pub(super) fn find(&self, id: &TicketId) -> Option<&'a Ticket> {
        self.index.get(id.as_str()).map(|&at| &*self.tickets[at])
    }

    /// Whether this entry is the one that its id stands for (a second record of the same id is ignored).
    pub(super) fn is_first(&self, at: usize) -> bool {
        self.index.get(self.tickets[at].id.as_str()) == Some(&at)
    }

    /// The nearest unfinished tickets that wait for this one, directly or through others; itself never.
    pub(super) fn waiting_for(&self, at: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = HashSet::from([at]);
        let mut next = VecDeque::from([at]);
        while let Some(node) = next.pop_front() {
            for &dependant in &self.dependants[node] {
                if found.len() == MAX_NAMED {
                    return found;
                }
                if seen.insert(dependant) {
                    found.push(dependant);
                    next.push_back(dependant);
                }
            }
        }
        found
    }

    /// The ring that keeps this ticket waiting, first id repeated at the end; shortened when long.
    pub(super) fn ring(&self, at: usize) -> Option<Vec<TicketId>> {
        let place = self.rings[at].as_ref()?;
        let around = place.ring.iter().cycle().skip(place.at);
        let shown = place.ring.len().min(MAX_NAMED);
        let mut ids: Vec<TicketId> = around.take(shown).map(|&at| self.tickets[at].id.clone()).collect();
        if shown < place.ring.len() {
            ids.push(TicketId::new("…"));
        }
        let first = ids.first().cloned()?;
        ids.push(first);
        Some(ids)
    }
}

/// Whether the ticket is still to be done, so that it can wait and be waited for.
pub(super) fn is_live(ticket: &Ticket) -> bool {
    ticket.invalid.is_none() && !ticket.status.is_terminal()
}

/// For each node of a knot (strongly connected component with an edge inside) one ring of that knot.
fn rings(waits: &[Vec<usize>]) -> Vec<Option<RingPlace>> {
    let mut places = vec![None; waits.len()];
    let knots = knots(waits);
    for (number, members) in knots.members.iter().enumerate() {
        let ring = one_ring(waits, &knots.number, number, members[0]);
        if ring.is_empty() {
            continue;
        }
        let ring: Arc<[usize]> = ring.into();
        for &member in members {
            places[member] = Some(RingPlace { ring: Arc::clone(&ring), at: 0 });
        }
        for (at, &member) in ring.iter().enumerate() {
            places[member] = Some(RingPlace { ring: Arc::clone(&ring), at });
        }
    }
    places
}

/// Follows the first edge inside the knot until a node comes again; empty when the knot has no edge inside.
fn one_ring(waits: &[Vec<usize>], number: &[usize], knot: usize, start: usize) -> Vec<usize> {
    let mut path = Vec::new();
    let mut place = HashMap::new();
    let mut node = start;
    loop {
        if let Some(&from) = place.get(&node) {
            return path.split_off(from);
        }
        place.insert(node, path.len());
        path.push(node);
        match waits[node].iter().find(|&&next| number[next] == knot) {
            Some(&next) => node = next,
            None => return Vec::new(),
        }
    }
}

/// The strongly connected components.
struct Knots {
    /// Component of each node.
    number: Vec<usize>,
    /// Nodes of each component that could hold a ring (two nodes or more, or one that waits for itself).
    members: Vec<Vec<usize>>,
}

/// Tarjan's algorithm with its own stack.
fn knots(waits: &[Vec<usize>]) -> Knots {
    const UNSEEN: usize = usize::MAX;
    let mut order = vec![UNSEEN; waits.len()];
    let mut low = vec![0; waits.len()];
    let mut on_stack = vec![false; waits.len()];
    let mut number = vec![UNSEEN; waits.len()];
    let mut members: Vec<Vec<usize>> = Vec::new();
    let (mut stack, mut walk, mut clock) = (Vec::new(), Vec::new(), 0);
    for root in 0..waits.len() {
        if order[root] != UNSEEN || waits[root].is_empty() {
            continue;
        }
        walk.push((root, 0));
        while let Some((node, edge)) = walk.pop() {
            if edge == 0 {
                order[node] = clock;
                low[node] = clock;
                clock += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&next) = waits[node].get(edge) {
                walk.push((node, edge + 1));
                if order[next] == UNSEEN {
                    walk.push((next, 0));
                } else if on_stack[next] {
                    low[node] = low[node].min(order[next]);
                }
                continue;
            }
            if low[node] == order[node] {
                let from = stack.iter().rposition(|&held| held == node).unwrap_or(0);
                let component = stack.split_off(from);
                for &member in &component {
                    on_stack[member] = false;
                    number[member] = members.len();
                }
                members.push(component);
            }
            if let Some(&(parent, _)) = walk.last() {
                low[parent] = low[parent].min(low[node]);
            }
        }
    }
    Knots { number, members }
}
