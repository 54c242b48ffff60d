//! Reading by example.

use super::*;
use crate::dialect::nft::ast::Stmt;

fn read(text: &str) -> Result<Ruleset, ReadError> {
    parse(SourceId(0), &[Source { name: "r.nft".into(), text: text.into() }])
}

fn unread(ruleset: &Ruleset) -> Vec<String> {
    let rules = ruleset.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules).flat_map(|r| &r.stmts);
    let rules = rules.filter_map(|s| if let Stmt::Unread(t) = s { Some(t.to_string()) } else { None });
    rules.chain(ruleset.unread.iter().map(|u| format!("{} ({})", u.text, u.why))).collect()
}

#[test]
fn every_corpus_file_is_read_and_nothing_but_missing_includes_is_left_over() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let mut files = 0;
    let mut left = Vec::new();
    for dir in ["nftables", "derived", "lab-dumps"] {
        let Ok(entries) = std::fs::read_dir(root.join(dir)) else { continue };
        for path in entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "nft")) {
            files += 1;
            let text = std::fs::read_to_string(&path).expect("text");
            match read(&text) {
                Ok(ruleset) => left.extend(unread(&ruleset).into_iter().map(|u| format!("{}: {u}", path.display()))),
                Err(e) => panic!("{}: {e:?}", path.display()),
            }
        }
    }
    println!("read {files} nftables texts of the corpus, {} statements left over", left.len());
    left.retain(|l| !l.contains("was not given"));
    for l in &left {
        println!("{l}");
    }
    assert!(left.len() <= 2, "{left:#?}");
}

#[test]
fn an_unknown_word_taints_only_the_rest_of_its_rule() {
    let ruleset =
        read("table ip t {\n chain c {\n  tcp dport 22 frobnicate 7 accept\n  accept\n }\n}\n").expect("reads");
    let rules = &ruleset.tables[0].chains[0].rules;
    assert_eq!(rules.len(), 2);
    assert!(matches!(&rules[0].stmts[..], [Stmt::Match { .. }, Stmt::Unread(t)] if &**t == "frobnicate 7 accept"));
    assert!(matches!(&rules[1].stmts[..], [Stmt::Verdict(_)]));
}

#[test]
fn commands_are_carried_out_in_order() {
    let ruleset = read(
        "flush ruleset\nadd table ip f\nadd chain ip f in { type filter hook input priority 0; policy drop; }\n\
         add rule ip f in tcp dport 22 accept\ninsert rule ip f in tcp dport 80 accept\n\
         table ip f { set s { type ipv4_addr; }\n }\nadd element ip f s { 10.0.0.1, 10.0.0.2 }\ndelete element ip f s { 10.0.0.1 }\n",
    )
    .expect("reads");
    assert_eq!(unread(&ruleset), Vec::<String>::new());
    let table = &ruleset.tables[0];
    assert!(table.chains[0].base.as_ref().is_some_and(|b| b.policy_drop));
    assert_eq!(table.chains[0].rules.len(), 2);
    assert!(format!("{:?}", table.chains[0].rules[0]).contains("80"));
    assert_eq!(table.sets[0].elems.len(), 1);
}

#[test]
fn what_nobody_can_make_sense_of_is_an_error_with_its_place() {
    for (text, place) in [
        ("table ip t {\n chain c {\n", 22),
        ("table ip t { }\n}\n", 15),
        ("table ip t { chain c { tcp dport $x accept\n }\n }\n", 34),
        ("define a = 1\ndefine a = 2\n", 13),
        ("table ip t { chain c { log prefix \"x\n } }", 34),
        ("<?xml version='1.0'?>", 1),
        ("\0\0", 0),
    ] {
        let error = read(text).expect_err(text);
        assert_eq!(error.at.start, place, "{text:?}: {error:?}");
    }
}

#[test]
fn truncated_and_altered_texts_never_panic() {
    let text = include_str!("../ast.rs");
    let ruleset = "table inet t {\n set s { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 5-9 } }\n chain c { type nat hook prerouting priority dstnat; ip daddr . tcp dport @s dnat ip to 10.0.0.1:5-9 random comment \"x\"\n }\n}\n";
    for sample in [text, ruleset] {
        for end in (0..sample.len().min(2000)).filter(|i| sample.is_char_boundary(*i)) {
            let _ = read(&sample[..end]);
        }
    }
    let mut seed = 7u32;
    for _ in 0..20_000 {
        let mut bytes = ruleset.as_bytes().to_vec();
        for _ in 0..3 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let i = seed as usize / 7 % bytes.len();
            bytes[i] = b" {};:$@\"-.,/x0\n!"[(seed >> 20) as usize % 16];
        }
        let _ = read(&String::from_utf8_lossy(&bytes));
    }
}
