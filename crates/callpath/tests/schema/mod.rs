//! Is a value as a JSON schema says? For schemas of this repository: a keyword that is not known here is an error, and
//! so is a property that the schema does not name.

use serde_json::{Map, Value};

/// What is wrong with a value, with its place.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    check(schema, schema, value, "", &mut out);
    out
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    let schema = schema.as_object().unwrap_or_else(|| panic!("{at}: no schema"));
    for (keyword, wanted) in schema {
        let good = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => true,
            "$ref" => {
                let pointer = wanted.as_str().and_then(|r| r.strip_prefix('#')).expect("a place in the schema");
                check(root, root.pointer(pointer).expect("a definition"), value, at, out);
                true
            }
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|t| is(t, value)),
                one => is(one, value),
            },
            "const" => wanted == value,
            "enum" => list(wanted).contains(value),
            "minimum" => value.as_f64().is_none_or(|v| Some(v) >= wanted.as_f64()),
            "maximum" => value.as_f64().is_none_or(|v| Some(v) <= wanted.as_f64()),
            "minItems" => value.as_array().is_none_or(|v| Some(v.len() as u64) >= wanted.as_u64()),
            "maxItems" => value.as_array().is_none_or(|v| Some(v.len() as u64) <= wanted.as_u64()),
            "prefixItems" => {
                for (n, (item, schema)) in value.as_array().into_iter().flatten().zip(list(wanted)).enumerate() {
                    check(root, schema, item, &format!("{at}/{n}"), out);
                }
                true
            }
            // No schema lets in what it does not name.
            "additionalProperties" => *wanted == Value::Bool(false),
            "anyOf" | "oneOf" => list(wanted).iter().any(|s| {
                let mut inner = Vec::new();
                check(root, s, value, at, &mut inner);
                inner.is_empty()
            }),
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{at}/{n}"), out);
                }
                true
            }
            "properties" => {
                properties(root, wanted, value, at, out);
                true
            }
            "required" => {
                let has =
                    |o: &Map<String, Value>| list(wanted).iter().all(|k| o.contains_key(k.as_str().expect("a name")));
                value.as_object().is_none_or(has)
            }
            other => panic!("{at}: the keyword {other} is not known here"),
        };
        if !good {
            out.push(format!("{at}: not as {keyword} says ({wanted}): {value}"));
        }
    }
}

fn properties(root: &Value, known: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        match known.get(name) {
            Some(schema) => check(root, schema, inner, &format!("{at}/{name}"), out),
            None => out.push(format!("{at}/{name}: the schema does not name it")),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().expect("a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}
