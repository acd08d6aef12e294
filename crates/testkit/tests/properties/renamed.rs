//! Blocks that get other names, and the moves that say so.

/// How often blocks got another name, also while they are not there. No name comes back, so that
/// what a run did not get around to delete never has the name that a move leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Renamed {
    pub(crate) documents: [u8; 3],
    /// By network.
    pub(crate) tables: [[u8; 2]; 2],
}

/// Returns what a block is called after it was renamed so many times.
pub(crate) fn name_after(first_name: &str, times: u8) -> String {
    if times == 0 { first_name.to_owned() } else { format!("{first_name}r{times}") }
}

/// Writes every move that a block has ever made.
pub(crate) fn moves(kind: &str, first_name: &str, times: u8) -> String {
    let name = |times| name_after(first_name, times);
    let one =
        |time| format!("[[moved]]\nfrom = \"{kind}.{}\"\nto = \"{kind}.{}\"\n", name(time), name(time + 1));
    (0..times).map(one).collect()
}
