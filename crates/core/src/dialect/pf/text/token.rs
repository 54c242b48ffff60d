//! Words of a line.

/// Splits a line into words; a comment ends it. Quoted texts are words without their quotes.
///
/// # Errors
/// A quotation without an end.
pub(super) fn tokens(line: &str) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars().peekable();
    let flush = |word: &mut String, out: &mut Vec<String>| {
        if !word.is_empty() {
            out.push(std::mem::take(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            c if c.is_whitespace() => flush(&mut word, &mut out),
            '"' => {
                flush(&mut word, &mut out);
                let mut text = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') if chars.peek() == Some(&'"') => text.extend(chars.next()),
                        Some(c) => text.push(c),
                        None => return Err("a quotation has no end".into()),
                    }
                }
                out.push(text);
            }
            '{' | '}' | '(' | ')' | ',' => {
                flush(&mut word, &mut out);
                out.push(c.to_string());
            }
            '!' | '=' | '>' | '<' if !(c == '<' && chars.peek().is_some_and(|n| n.is_alphanumeric() || *n == '_')) => {
                if c == '>' && word.starts_with('<') {
                    word.push('>');
                    flush(&mut word, &mut out);
                    continue;
                }
                // Operators: `->`, `><`, `<>`, `>=`, `<=`, `!=`, `=`, `!`.
                if c == '>' && word == "-" {
                    word.push('>');
                    flush(&mut word, &mut out);
                    continue;
                }
                flush(&mut word, &mut out);
                let mut op = c.to_string();
                if let Some(next) = chars.peek().copied()
                    && matches!((c, next), ('>', '<' | '=') | ('<', '>' | '=') | ('!', '='))
                {
                    op.push(next);
                    chars.next();
                }
                out.push(op);
            }
            c => word.push(c),
        }
    }
    flush(&mut word, &mut out);
    Ok(out)
}
