//! The kernels of a run, and the one look that each has in every figure.

use super::super::theme::{BLACK, Color, Dash, GREY, Look, Marker, NETWORK, NNGP, NTK, ORANGE, PAPER, PURPLE, SKY};
use super::sentences::distinct;
use crate::record::KernelRow;

/// By the name in the records: the name in print and the look.
const KERNELS: [(&str, &str, Look); 7] = [
    ("ntk", "NTK", Look::new(NTK, Dash::Dashed, Marker::Diamond)),
    ("nngp", "NNGP", Look::new(NNGP, Dash::Chain, Marker::Down)),
    ("laplace", "Laplace", Look::new(SKY, Dash::Solid, Marker::Square)),
    ("matern", "Mat\u{e9}rn", Look::new(PURPLE, Dash::Long, Marker::Up)),
    ("rbf", "RBF", Look::new(ORANGE, Dash::Solid, Marker::Circle)),
    ("network", "network", Look::new(NETWORK, Dash::Solid, Marker::Left)),
    ("linear", "linear", Look::new(BLACK, Dash::Dotted, Marker::Plus)),
];

/// The look of a kernel of any depth.
pub(super) fn look(kernel: &str) -> Look {
    let known = KERNELS.iter().find(|(key, ..)| *key == kernel);
    known.map_or(Look::new(GREY, Dash::Solid, Marker::Circle), |(.., look)| *look)
}

/// The name of a kernel of any depth, in print.
pub(super) fn name(kernel: &str) -> &str {
    KERNELS.iter().find(|(key, ..)| *key == kernel).map_or(kernel, |(_, name, _)| name)
}

/// A kernel that takes part; of a network, at one depth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) kernel: String,
    /// Of a network's kernel.
    pub(super) depth: Option<usize>,
    pub(super) look: Look,
}

impl Member {
    /// Every one, in the order of the rows.
    pub(super) fn all(rows: &[&KernelRow]) -> Vec<Self> {
        let mut members: Vec<Self> = Vec::new();
        for row in rows {
            if members.iter().all(|member| !member.is_of(row)) {
                members.push(Self { kernel: row.kernel.clone(), depth: row.depth, look: look(&row.kernel) });
            }
        }
        for i in 0..members.len() {
            let mut depths: Vec<_> =
                members.iter().filter(|m| m.kernel == members[i].kernel).map(|m| m.depth).collect();
            depths.sort_unstable();
            let position = depths.iter().position(|depth| *depth == members[i].depth).unwrap_or(0);
            members[i].look = shade(members[i].look, position, depths.len());
        }
        members
    }

    /// Whether a row is this kernel's.
    pub(super) fn is_of(&self, row: &KernelRow) -> bool {
        self.kernel == row.kernel && self.depth == row.depth
    }

    /// With its depth, for a legend.
    pub(super) fn name(&self) -> String {
        let name = name(&self.kernel);
        self.depth.map_or(name.to_owned(), |depth| format!("{name}, depth {depth}"))
    }

    /// Their names for the margin of a panel: with the depth as a number, where there are several.
    pub(super) fn short_names(members: &[Self]) -> Vec<String> {
        let is_of_depths = Self::depths(members).len() > 1;
        let name = |member: &Self| match member.depth.filter(|_| is_of_depths) {
            Some(depth) => format!("{} {depth}", name(&member.kernel)),
            None => name(&member.kernel).to_owned(),
        };
        members.iter().map(name).collect()
    }

    /// What a caption says of these names.
    pub(super) fn of_depth(members: &[Self]) -> String {
        match Self::depths(members)[..] {
            [] => String::new(),
            [depth] => format!("Networks, and kernels of networks, are of depth {depth}."),
            _ => "A number behind a name is the depth of its network.".to_owned(),
        }
    }

    fn depths(members: &[Self]) -> Vec<usize> {
        distinct(members.iter().filter_map(|member| member.depth))
    }

    /// For a table: the name in the records, and the depth.
    pub(super) fn cells(&self) -> [String; 2] {
        [self.kernel.clone(), self.depth.map_or(String::new(), |depth| depth.to_string())]
    }
}

/// The look at depth `i` of `n`: the deepest has the kernel's colour, the others lighter tints and dashes of their own.
fn shade(look: Look, i: usize, n: usize) -> Look {
    const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::Chain];
    if n < 2 {
        return look;
    }
    let from_deepest = n - 1 - i;
    let white = 0.6 * from_deepest as f64 / (n - 1) as f64;
    let mix = |ink: u8, paper: u8| (f64::from(ink) + white * (f64::from(paper) - f64::from(ink))).round() as u8;
    let (Color(r, g, b), Color(paper_r, paper_g, paper_b)) = (look.color, PAPER);
    let color = Color(mix(r, paper_r), mix(g, paper_g), mix(b, paper_b));
    Look { color, dash: DASHES[from_deepest % DASHES.len()], ..look }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kernels_look_alike() {
        for (i, (.., a)) in KERNELS.iter().enumerate() {
            for (.., b) in &KERNELS[..i] {
                assert!(a.color != b.color && a.marker != b.marker, "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn the_deepest_network_has_the_colour_of_its_kernel() {
        let ntk = look("ntk");
        assert_eq!(shade(ntk, 2, 3).color, NTK);
        assert_ne!(shade(ntk, 0, 3).color, shade(ntk, 1, 3).color);
        assert_eq!(shade(ntk, 0, 1), ntk);
    }
}
