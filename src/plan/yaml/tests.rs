//! Cross-module tests of the YAML floor.

use super::SprintDoc;

fn malformed(case: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/planfile/malformed");
    std::fs::read(std::path::Path::new(root).join(case).join("current.yaml")).unwrap()
}

#[test]
fn the_control_case_reads_chunk_by_chunk() {
    let doc = SprintDoc::parse("current", malformed("00-control"), None).unwrap();
    let ids: Vec<&str> = doc.tickets().map(|ticket| ticket.id.as_str()).collect();
    assert_eq!(ids, ["PLF-001", "PLF-002"]);
    assert!(doc.layout().is_some());
}
