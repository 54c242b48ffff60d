//! Fenced blocks of documents. The command line's tests include this file: scenarios and tutorial have one reader.

/// A fenced block: what stands after the fence, and the lines in it.
#[derive(Debug)]
pub struct Block {
    /// `toml callpath.toml`.
    pub info: String,
    /// Without the fences.
    pub lines: Vec<String>,
}

/// The fenced blocks of a document; none when one is not closed.
pub fn blocks(text: &str) -> Option<Vec<Block>> {
    let mut out: Vec<Block> = Vec::new();
    let mut open = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some(Block { info: info.trim().to_owned(), lines: Vec::new() }),
            (Some(_), Some(_)) => out.extend(open.take()),
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    open.is_none().then_some(out)
}

/// The example that a scenario starts from: `example: spokes` in its first line.
pub fn example(scenario: &str) -> &str {
    scenario.lines().next().and_then(|l| l.strip_prefix("example: ")).unwrap_or("linux-router")
}
