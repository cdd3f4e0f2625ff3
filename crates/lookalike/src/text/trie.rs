//! A set of words, asked which of them a text begins with. It must not know what they mean.

/// Where words may go on.
#[derive(Clone, Copy, Default)]
struct Node {
    /// Its children in the list of edges.
    first: u16,
    count: u8,
    /// Whether a word ends here.
    ends: bool,
}

/// A tree of words, packed so that it stays in the cache.
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The symbol and the node of each child; those of one node side by side.
    edges: Vec<(u8, u16)>,
    /// The children of the root, by symbol; 0 is none.
    root: [u16; 256],
}

impl Trie {
    /// A tree of words.
    pub(super) fn new(mut words: Vec<Vec<u8>>) -> Trie {
        words.retain(|word| !word.is_empty());
        words.sort();
        words.dedup();
        let (nodes, edges) = (vec![Node::default()], Vec::new());
        let mut trie = Trie { nodes, edges, root: [0; 256] };
        let mut parts = vec![(0, 0, &words[..])];
        while let Some((node, depth, part)) = parts.pop() {
            trie.nodes[node].ends = part.first().is_some_and(|word| word.len() == depth);
            let longer = &part[usize::from(trie.nodes[node].ends)..];
            trie.nodes[node].first = number(trie.edges.len());
            for group in longer.chunk_by(|a, b| a[depth] == b[depth]) {
                let child = trie.nodes.len();
                trie.nodes.push(Node::default());
                trie.nodes[node].count += 1;
                trie.edges.push((group[0][depth], number(child)));
                if node == 0 {
                    trie.root[usize::from(group[0][depth])] = number(child);
                }
                parts.push((child, depth + 1, group));
            }
        }
        trie
    }

    #[inline]
    fn child(&self, node: usize, symbol: u8) -> Option<usize> {
        if node == 0 {
            let child = usize::from(self.root[usize::from(symbol)]);
            return (child != 0).then_some(child);
        }
        let Node { first, count, .. } = self.nodes[node];
        let edges = &self.edges[usize::from(first)..][..usize::from(count)];
        let found = edges.iter().find(|(each, _)| *each == symbol);
        found.map(|&(_, child)| usize::from(child))
    }

    /// The length of the longest word that a text begins with and that fits. What reads as `i`
    /// may stand for `l`.
    #[inline]
    pub(super) fn longest(
        &self,
        text: impl Iterator<Item = u8>,
        fits: impl Fn(usize) -> bool,
    ) -> usize {
        let (mut node, mut best) = (0, 0);
        for (depth, symbol) in text.enumerate() {
            let child = self.child(node, symbol);
            let other = || if symbol == b'i' { self.child(node, b'l') } else { None };
            let Some(next) = child.or_else(other) else { break };
            node = next;
            if self.nodes[node].ends && fits(depth + 1) {
                best = depth + 1;
            }
        }
        best
    }
}

fn number(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_word_that_fits_is_found() {
        let words = ["fan", "fans", "fanclub", "live"].map(|word| word.as_bytes().to_vec());
        let trie = Trie::new(words.to_vec());
        let longest = |text: &str, most: usize| trie.longest(text.bytes(), |length| length <= most);
        assert_eq!(longest("fanclubs", 9), 7);
        assert_eq!(longest("fanclubs", 6), 3);
        assert_eq!(longest("fanscub", 9), 4);
        assert_eq!(longest("iive", 9), 4, "what reads as i may be an l");
        assert_eq!((longest("f", 9), longest("", 9), longest("xfan", 9)), (0, 0, 0));
    }
}
