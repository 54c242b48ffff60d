use super::scan::{Kind, Part, Tag, pieces};
use super::*;
use roxmltree::{Document, Node};
use std::ops::Range;

/// Texts that are well-formed, with all that the language has.
const TEXTS: &[&str] = &[
    "<a/>",
    "\u{feff}<?xml version=\"1.0\" encoding='utf-8'?>\r\n<a>\r\n\t<b/>\r\n</a>\r\n",
    "<a b = '>' c=\"/>'\" ><b/ ></a>",
    "<!-- <x> --><?go <x> ?><a>t<!-- - -->u<![CDATA[ <x> ]]]>v<?pi?></a><!----> ",
    "<a>one<![CDATA[two]]>three<![CDATA[]]><![CDATA[]]>&lt;four&#10;<b>]] &gt;</b></a>",
    "<p:a xmlns:p='u' xmlns=\"v>\" p:c='1' xml:lang='x'><p:b xmlns:q='w'/><q/></p:a >",
    "<a\n\tb\n=\n'c\n'\n><äöü é='ö'>ß</äöü\n></a\n>",
    "<a><![CDATA[]]></a>",
    "<a></a>",
];

/// What a parser and the scanner tell alike: tags with where they stand, comments, instructions and texts.
fn by_scanner(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut out: Vec<(Kind, Range<usize>)> = Vec::new();
    let mut depth = 0;
    for piece in pieces(text) {
        assert!(piece.closed, "{text}: {piece:?}");
        match piece.kind {
            Kind::Start => depth += usize::from(Tag::at(text, piece.all.start).content().is_some()),
            Kind::End => depth -= 1,
            Kind::Instruction if text[piece.all.clone()].starts_with("<?xml ") => continue,
            // Outside of the root blanks are nothing.
            Kind::Text if depth == 0 => continue,
            _ => {}
        }
        // Texts side by side are one.
        let texts = [Kind::Text, Kind::Cdata];
        match out.last_mut() {
            Some((Kind::Text, last)) if texts.contains(&piece.kind) => last.end = piece.all.end,
            _ if piece.kind == Kind::Cdata => out.push((Kind::Text, piece.all)),
            _ => out.push((piece.kind, piece.all)),
        }
    }
    out
}

fn by_parser(text: &str) -> Vec<(Kind, Range<usize>)> {
    let tree = Tree::read(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let mut out = Vec::new();
    for node in tree.nodes().skip(1) {
        let range = node.range();
        match () {
            () if node.is_comment() => out.push((Kind::Comment, range)),
            () if node.is_pi() => out.push((Kind::Instruction, range)),
            () if node.is_text() => out.push((Kind::Text, tree.text_range(node))),
            () => {
                let content = tree.content(node);
                let start = content.as_ref().map_or(range.end, |c| c.start);
                out.push((Kind::Start, range.start..start));
                out.extend(content.map(|c| (Kind::End, c.end..range.end)));
            }
        }
    }
    out.sort_by_key(|(_, range)| range.start);
    out
}

#[test]
fn the_scanner_cuts_where_the_parser_does() {
    let files = [
        include_str!("../../../../examples/spokes/pfsense/config.xml"),
        include_str!("../../../../examples/reflector/pfsense/config.xml"),
        include_str!("../dialect/pfsense/splice/fixture.xml"),
    ];
    let crlf = files[0].replace('\n', "\r\n");
    for text in TEXTS.iter().copied().filter(|t| !t.contains("/ >")).chain(files).chain([&*crlf]) {
        assert_eq!(by_scanner(text), by_parser(text), "{text}");
    }
    // A slash that no `>` follows is no XML for either.
    assert!(Tree::read(TEXTS[2]).is_err());
}

#[test]
fn attributes_stand_where_the_parser_reads_them() {
    let blanks = " ".repeat(70_000);
    let long = format!("<a x{blanks}={blanks}'1' y='&amp;\t2'><b {}='3'/></a>", "z".repeat(70_000));
    for text in TEXTS.iter().copied().chain([&*long]) {
        let Ok(document) = Document::parse(text) else { continue };
        for element in document.descendants().filter(Node::is_element) {
            let tag = Tag::at(text, element.range().start);
            for part in tag.parts() {
                let Part::Attribute { name, value } = part else { continue };
                let said = &text[value.clone()];
                match element.attributes().find(|a| a.range().start == name.start) {
                    Some(read) => {
                        assert_eq!(value.end + 1, read.range().end);
                        assert!(said.contains(['&', '\t', '\n']) || said == read.value(), "{said}");
                    }
                    None => assert!(text[name.clone()].starts_with("xmlns"), "{text}"),
                }
            }
        }
    }
}

/// Numbers that look random, the same in every run.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap_or(0) % below
    }
}

#[test]
fn no_text_is_too_broken_for_the_scanner() {
    let signs = [
        "<",
        ">",
        "/",
        "=",
        "'",
        "\"",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "<!",
        "</a>",
        "<a",
        " ",
        "é",
        "b",
    ];
    let mut number = numbers(7);
    for _ in 0..20_000 {
        let text: String = (0..number(12)).map(|_| signs[number(signs.len())]).collect();
        let mut at = 0;
        for piece in pieces(&text) {
            assert!(piece.all.start == at && piece.all.end > at, "{text}: {piece:?}");
            assert!(piece.inside.start >= at && piece.inside.end <= piece.all.end, "{text}: {piece:?}");
            at = piece.all.end;
            let _ = (&text[piece.inside.clone()], &text[piece.all.clone()]);
            if piece.kind == Kind::Start {
                let tag = Tag::at(&text, piece.all.start);
                let _ = (tag.parts().count(), tag.content(), &text[tag.name.clone()]);
            }
            let _ = (element_end(&text, piece.all.start), said_at(&text, piece.all.start, "b"));
        }
        assert_eq!(at, text.len());
        let _ = root_name(&text);
        let hidden = blanked(&text, |_| None);
        assert_eq!(hidden.len(), text.len(), "{text}: {hidden}");
        assert_eq!(blanked(&hidden, |_| None), hidden, "{text}");
        if let Ok(tree) = Tree::read(&text) {
            assert!(Tree::read(&hidden).is_ok(), "{text}: {hidden}");
            let _ = tree.root();
        }
    }
}

/// More levels than a stack has room for.
const DEEP: usize = 100_000;

/// More elements than the parser is let to read.
const MOST: usize = 5_000_000;

#[test]
fn hostile_texts_are_refused_or_read() {
    let deep = format!("{}{}", "<a>".repeat(DEEP), "</a>".repeat(DEEP));
    let tree = Tree::read(&deep).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(tree.content(tree.root()).map(|c| c.start), Some(3));
    assert_eq!(element_end(&deep, 0), Some(deep.len()));
    let entities = "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>";
    assert_eq!(Tree::read(entities).err(), Some(Broken { at: 0, why: "XML with DTD detected".into() }));
    assert!(Tree::read("<a>&b;</a>").is_err_and(|e| e.at == 3));
    let many = format!("<a>{}</a>", "<b/>".repeat(MOST));
    assert!(many.len() < 32 << 20, "a file may be so large");
    assert!(Tree::read(&many).is_err_and(|e| e.why.contains("elements")));
    let names = |count: usize| (0..count).map(|n| format!(" b{n}=''")).collect::<Vec<_>>().concat();
    assert!(Tree::read(&format!("<a>\n<b{}/></a>", names(1_000_000))).is_err_and(|e| e.at == 4));
    assert!(Tree::read(&format!("<a{}/>", names(1_000))).is_ok());
    assert!(Tree::read(&format!("<a>{}</a>", "=".repeat(20 << 20))).is_err_and(|e| e.why.contains('=')));
    let declared = (0..20_000).map(|n| format!("<a xmlns:b{n}='c'>")).collect::<Vec<_>>().concat();
    assert!(Tree::read(&declared).is_err_and(|e| e.why.contains("namespaces")));
    for (text, at) in [("<a>\r\n\u{e4}<b></c></a>", 10), ("<a><b></b>", 9), ("", 0), ("<a b=1/>", 5), ("<a>\0</a>", 3)]
    {
        assert_eq!(Tree::read(text).err().map(|e| e.at), Some(at), "{text}");
    }
}

#[test]
fn an_element_says_all_its_texts() {
    let tree = Tree::read("<a> one<!-- x -->two<![CDATA[<three>]]><?x?> <b/></a>").expect("well-formed");
    assert_eq!(own_text(tree.root()).as_deref(), Some("onetwo<three>"));
    assert!(has(tree.root(), "b") && !has(tree.root(), "c"));
    assert_eq!(text(tree.root(), "b"), None);
}

#[test]
fn references_hide_nothing_from_the_search() {
    let text = "<a>https:&#47;&#x2F;u:sec<!-- -->ret&#64;h<![CDATA[.exam]]>ple/secret&quot;</a>";
    let hidden = blanked(text, |_| Some(crate::secrets::in_text));
    assert!(!hidden.contains("ret&") && !hidden.contains("secret") && hidden.len() == text.len(), "{hidden}");
    assert!(Tree::read(&hidden).is_ok(), "{hidden}");
}

#[test]
fn splices_leave_all_else() {
    for (before, after) in [
        ("<a><b/></a>", "<a><b>1</b><c/></a>"),
        ("<a>\r\n\t<b/>\r\n</a>", "<a>\r\n\t<b>1</b>\r\n\t<c/>\r\n</a>"),
        ("<a>\n  <b x='>' />\n</a>", "<a>\n  <b x='>'>1</b>\n  <c />\n</a>"),
        ("<n:a xmlns:n='/>'><n:b xmlns='>'></n:b></n:a>", "<n:a xmlns:n='/>'><n:b xmlns='>'>1</n:b><c></c></n:a>"),
        ("<n:a xmlns:n='u'><n:b/></n:a>", "<n:a xmlns:n='u'><n:b>1</n:b><c/></n:a>"),
    ] {
        let tree = Tree::read(before).expect("well-formed");
        let b = child(tree.root(), "b").expect("b");
        let splices = vec![tree.set_text(b, "1", false), tree.append(tree.root(), &Item::Empty("c"))];
        assert_eq!(spliced(before, splices), after);
    }
}

#[test]
fn roots_are_found_behind_what_may_stand_before_them() {
    for (text, root) in [
        ("<a/>", Some("a")),
        ("\u{feff} <?xml?>\n<!-- <x> --><a b", Some("a")),
        ("<a", None),
        ("<!DOCTYPE a><a/>", None),
        ("text <a/>", None),
        ("<!-- <a/>", None),
        ("<a\"/>", None),
    ] {
        assert_eq!(root_name(text), root, "{text}");
    }
    let text = "<!-- x --><a>\n<b/><d><![CDATA[x]]></d><e>y<!--z--></e></a><d>w</d>";
    let at = |name| said_at(text, 10, name).map(|at| &text[at]);
    assert_eq!([at("d"), at("e"), at("b"), at("c")], [Some("x"), Some("y<!--z-->"), None, None]);
    assert_eq!(element_end(text, 10), text.find("<d>w"));
}
