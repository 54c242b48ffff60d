//! What must be true of every page: a browser reads it without loading or running anything, nothing in it is cut, and it
//! says what the report says.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

/// Width of a picture.
const WIDTH: f64 = 340.0;

/// What is wrong with a page; `report` is the same report as JSON.
pub fn faults(page: &str, report: &Value) -> Vec<String> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(page, options) {
        Ok(document) => document,
        Err(error) => return vec![format!("not well-formed: {error}")],
    };
    let mut faults = Vec::new();
    let mut ids = Vec::new();
    let elements = || document.descendants().filter(Node::is_element);
    for element in elements() {
        let name = element.tag_name().name();
        if ["script", "img", "image", "link", "iframe", "object", "use", "a:href"].contains(&name) {
            faults.push(format!("<{name}>"));
        }
        for attribute in element.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            let loads = ["src", "srcset", "data", "style", "action"].contains(&key) || value.contains("://");
            if loads || key.starts_with("on") || key == "href" && !value.starts_with('#') {
                faults.push(format!("<{name} {key}={value:?}>"));
            }
            if key == "id" {
                if ids.contains(&value) {
                    faults.push(format!("two things are called {value}"));
                }
                ids.push(value);
            }
        }
        if name == "style" && ["url(", "@import", "://"].iter().any(|p| text(element).contains(p)) {
            faults.push("the style loads something".into());
        }
    }
    let targets = elements().filter_map(|e| e.attribute("href")?.strip_prefix('#'));
    faults.extend(targets.filter(|t| !ids.contains(t)).map(|t| format!("a link to {t}, which is nowhere")));
    for svg in elements().filter(|e| e.has_tag_name("svg")) {
        picture(svg, &mut faults);
    }
    let said = text(document.root_element());
    let told = report["findings"].as_array().expect("findings").iter().map(|f| &f["message"]);
    let people = report["paths"].as_array().expect("paths").iter().map(|p| &p["who"]);
    let rest = ["assumptions", "not_judged"].iter().flat_map(|k| report[k].as_array().expect("a list"));
    for sentence in told.chain(people).chain(rest).chain([&report["headline"]]) {
        let sentence = sentence.as_str().expect("a sentence").replace('`', "");
        if !said.contains(&sentence) {
            faults.push(format!("it does not say {sentence:?}"));
        }
    }
    faults
}

/// All text of an element.
pub fn text(element: Node<'_, '_>) -> String {
    element.descendants().filter(Node::is_text).filter_map(|t| t.text()).collect()
}

/// A picture has words for who cannot see it, and nothing sticks out.
fn picture(svg: Node<'_, '_>, faults: &mut Vec<String>) {
    let words = |name: &str| svg.children().find(|c| c.has_tag_name(name)).map(text).unwrap_or_default();
    if svg.attribute("role") != Some("img") || words("title").is_empty() || words("desc").is_empty() {
        faults.push("a picture without words".into());
    }
    let number = |n: Node<'_, '_>, key: &str| n.attribute(key).and_then(|v| v.parse::<f64>().ok()).unwrap_or_default();
    let size = svg.attribute("viewBox").and_then(|v| v.rsplit(' ').next()?.parse::<f64>().ok()).unwrap_or_default();
    for rect in svg.children().filter(|c| c.has_tag_name("rect")) {
        if number(rect, "x") + number(rect, "width") > WIDTH || number(rect, "y") + number(rect, "height") > size {
            faults.push("a box sticks out".into());
        }
    }
    for line in svg.children().filter(|c| c.has_tag_name("text")) {
        let shown: String = line
            .descendants()
            .filter(|t| t.is_text() && !t.ancestors().any(|a| a.has_tag_name("title")))
            .map(|t| t.text().unwrap_or_default())
            .collect();
        let narrow = line.attribute("class").is_some_and(|c| c.contains("narrow") || c.contains("small"));
        let wide = f64::from(u32::try_from(shown.chars().count()).expect("a line")) * if narrow { 5.8 } else { 6.7 };
        let x = number(line, "x");
        let (from, to) = match line.attribute("text-anchor") {
            Some("middle") => (x - wide / 2.0, x + wide / 2.0),
            Some("end") => (x - wide, x),
            _ => (x, x + wide),
        };
        if from < -1.0 || to > WIDTH + 1.0 || number(line, "y") > size {
            faults.push(format!("{shown:?} sticks out of the picture"));
        }
    }
}
