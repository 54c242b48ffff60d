//! Findings as SARIF 2.1.0, the format of code scanning.

use super::formats::told;
use super::text::{closed, explained, exposures};
use super::{Finding, Mark, Report, Verdict};
use crate::finding::{CAUSES, Cause};
use serde_json::{Value, json};

/// The report's findings as a log with one run. Levels have the names of our severities.
pub fn sarif(report: &Report) -> String {
    let rules: Vec<Value> = CAUSES.iter().map(|c| rule(c)).collect();
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": report.tool.name, "version": report.tool.version, "rules": rules } },
            // Columns of marks count characters, not UTF-16 units.
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "exitCode": u8::from(report.verdict != Verdict::Works),
            }],
            "properties": {
                "verdict": report.verdict.word(),
                "headline": report.headline,
                // Sections of the report that are no findings: what is open, closed, or not known to be closed.
                "reach": reach(report),
            },
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn reach(report: &Report) -> Value {
    let sections = exposures(report).into_iter().filter(|(_, lines)| !lines.is_empty());
    let mut out: Vec<Value> = sections.map(|(title, lines)| json!({ "title": title, "lines": lines })).collect();
    let closed = closed(report);
    if !closed.is_empty() {
        out.push(json!({ "title": "what is closed", "lines": closed }));
    }
    Value::Array(out)
}

fn rule(cause: &Cause) -> Value {
    json!({
        "id": cause.code,
        "shortDescription": { "text": cause.title },
        "fullDescription": { "text": explained(cause).trim_end() },
        "help": { "text": explained(cause).trim_end() },
        "defaultConfiguration": { "level": cause.severity.word() },
    })
}

fn result(f: &Finding) -> Value {
    let mut out = json!({
        "ruleId": f.code,
        "level": f.severity.word(),
        "message": message(&told(f)),
        "locations": f.at.iter().take(1).map(location).collect::<Vec<_>>(),
        "partialFingerprints": { "callpath/1": fingerprint(f) },
    });
    if let Some(n) = CAUSES.iter().position(|c| c.code == f.code) {
        out["ruleIndex"] = json!(n);
    }
    if f.at.len() > 1 {
        let numbered = f.at.iter().skip(1).enumerate().map(|(n, mark)| {
            let mut place = location(mark);
            place["id"] = json!(n);
            place
        });
        out["relatedLocations"] = numbered.collect();
    }
    out
}

/// The same finding in two runs has the same one, though lines before it moved.
fn fingerprint(f: &Finding) -> String {
    let place = f.at.first().map_or("", |m| &m.source);
    format!("{}:{}:{place}", f.code, f.message)
}

fn location(mark: &Mark) -> Value {
    let mut out = match mark.line {
        Some(line) => json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(&mark.source) },
            "region": {
                "startLine": line,
                "startColumn": mark.column,
                "endColumn": mark.column + mark.length,
                "snippet": { "text": mark.text },
            },
        } }),
        // Without lines it is an object of the firewall rather than a place in a file.
        None => json!({ "logicalLocations": [{ "fullyQualifiedName": mark.source }] }),
    };
    if !mark.label.is_empty() {
        out["message"] = message(&mark.label);
    }
    out
}

/// A file's name as a relative URI reference.
fn uri(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let encoded: String =
        path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    // `//host/file` would be a file of another machine.
    if encoded.starts_with('/') { format!(".{encoded}") } else { encoded }
}

/// A message: `[text](target)` in it would be a link (SARIF 2.1.0, 3.11.6).
fn message(text: &str) -> Value {
    json!({ "text": text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_uris() {
        assert_eq!(uri("router/config.xml"), "router/config.xml");
        assert_eq!(uri("my rules: 100%.nft"), "my%20rules%3A%20100%25.nft");
        assert_eq!(uri("é"), "%C3%A9");
        assert_eq!(uri("//host/share"), ".//host/share");
        assert_eq!(uri("javascript:x"), "javascript%3Ax");
    }

    #[test]
    fn a_message_holds_no_link() {
        assert_eq!(message("[a](javascript:x) \\[b]")["text"], "\\[a\\](javascript:x) \\\\\\[b\\]");
    }
}
