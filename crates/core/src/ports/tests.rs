use super::*;
use crate::profile::PROFILES;

fn made(choice: &Choice) -> Result<Instance, crate::snapshot::InputError> {
    choice.instance()
}

#[test]
fn wrong_names_and_values_are_errors_with_a_suggestion() {
    let some = |s: &str| vec![s.to_owned()];
    let good = || Choice { system: "livekit".into(), ..Choice::default() };
    for (choice, message, help) in [
        (Choice { system: "spoks".into(), ..good() }, "no product is called `spoks`", "did you mean `spokes`?"),
        (Choice { mode: Some("prxy".into()), ..good() }, "has no mode `prxy`", "did you mean `proxy`?"),
        (Choice { on: some("trun"), ..good() }, "has no feature `trun`", "did you mean `turn`?"),
        (Choice { off: some("trun"), ..good() }, "has no feature `trun`", "did you mean `turn`?"),
        (Choice { with: some("udb=5"), ..good() }, "has no parameter `udb`", "did you mean `udp`?"),
        (Choice { with: some("udp"), ..good() }, "does not say which ports", "name=ports"),
        (Choice { with: some("udp=70000"), ..good() }, "port 70000 does not exist", "65535"),
        (Choice { with: some("tcp=1-2"), ..good() }, "is one port, not a range", "7881"),
        (Choice { with: vec!["tcp=1".into(), "tcp=2".into()], ..good() }, "given twice", "once"),
    ] {
        let error = made(&choice).expect_err(message);
        assert!(error.message.contains(message), "{}", error.message);
        assert!(error.help.contains(help), "{}", error.help);
        assert_eq!(error.at, None, "there is no file to point into");
    }
}

#[test]
fn ephemeral_ranges_are_noted_only_where_they_are_met() {
    let notes = |udp: &str| {
        let choice = Choice { system: "livekit".into(), with: vec![format!("udp={udp}")], ..Choice::default() };
        sheet(&made(&choice).expect("instance")).ranges.join("\n")
    };
    assert!(notes("50000-50499").contains("among Linux's ephemeral ports (32768-60999): udp 50000-50499"));
    assert!(notes("50000-50499").contains("among the ephemeral ports of macOS"));
    assert!(!notes("44200-44300").contains("among the ephemeral ports of macOS"));
    assert!(!notes("20000-20100").contains("among"));
    assert!(!ranges::common().expect("reads").range.is_empty());
}

#[test]
fn a_single_shared_port_has_no_capacity() {
    let choice = Choice { system: "livekit".into(), with: vec!["udp=7882".into()], ..Choice::default() };
    assert_eq!(sheet(&made(&choice).expect("instance")).capacity, Vec::<String>::new());
}

#[test]
fn forms_keep_to_their_rules() {
    for (name, _) in PROFILES {
        let instance = made(&Choice { system: (*name).into(), ..Choice::default() }).expect("instance");
        let text = render(&instance, Format::Text);
        for line in text.lines() {
            let fits = line.chars().count() <= 80 || line.split_whitespace().any(|w| w.len() > 40);
            assert!(fits, "{name}: {line}");
            assert_eq!(line.trim_end(), line, "{name}");
        }
        let json: serde_json::Value = serde_json::from_str(&render(&instance, Format::Json)).expect("JSON");
        assert_eq!(json["schema"], SCHEMA);
        let page = render(&instance, Format::Html);
        for outside in ["<script", "src=", "@import", "url(", "<link"] {
            assert!(!page.contains(outside), "{name}: the page needs nothing else ({outside})");
        }
        assert!(page.contains("prefers-color-scheme:dark") && page.contains("width=device-width"));
        for tag in ["table", "tr", "td", "ul", "li", "p", "span"] {
            let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{name}: {tag}");
        }
    }
}
