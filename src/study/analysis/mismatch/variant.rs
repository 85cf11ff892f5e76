//! What of the network stands beside what of the kernel.

/// What of the network is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Side {
    /// The network as it was trained.
    Plain,
    /// Without what is left of its initial function, f_T - (flin_T - A_T^emp Y).
    Subtracted,
    /// The mean of the networks of all seeds. Its error exceeds that of the mean of infinitely many by variance / number of networks, which is
    /// taken off.
    Mean,
    /// A network whose outputs at initialization are taken off all along.
    Centred,
    /// The difference of two networks that start alike.
    Antisymmetric,
}

impl Side {
    pub(in super::super) const ALL: [Self; 5] =
        [Self::Plain, Self::Subtracted, Self::Mean, Self::Centred, Self::Antisymmetric];

    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "network as trained",
            Self::Subtracted => "initial function subtracted",
            Self::Mean => "mean over seeds",
            Self::Centred => "centred network",
            Self::Antisymmetric => "antisymmetric network",
        }
    }

    /// What the networks are made with.
    pub(super) fn initial_function(self) -> &'static str {
        match self {
            Self::Plain | Self::Subtracted | Self::Mean => "plain",
            Self::Centred => "centred",
            Self::Antisymmetric => "antisymmetric",
        }
    }
}

/// What of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Beside {
    /// Kernel regression, A_inf Y.
    Regression,
    /// Gradient descent under the kernel for the time of the network, A_T Y.
    AtTime,
    /// The same, and the variance that the initial function has by theory: all that the theorem expects of a network as it was trained.
    Expected,
}

impl Beside {
    pub(in super::super) const ALL: [Self; 3] = [Self::Regression, Self::AtTime, Self::Expected];

    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Regression => "kernel regression",
            Self::AtTime => "kernel at the network's time",
            Self::Expected => "what the theorem expects",
        }
    }
}

/// A network and a kernel beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Variant {
    pub(in super::super) side: Side,
    pub(in super::super) beside: Beside,
}

impl Variant {
    /// What one sees without thinking of the theorem.
    pub(in super::super) const AS_MEASURED: Self = Self { side: Side::Plain, beside: Beside::Regression };
    /// Neither initial function nor time apart, on the very networks of [`Variant::AS_MEASURED`].
    pub(in super::super) const MATCHED: Self = Self { side: Side::Subtracted, beside: Beside::AtTime };
    /// The network as it was trained, beside all that the theorem expects of it.
    pub(in super::super) const EXPECTED: Self = Self { side: Side::Plain, beside: Beside::Expected };

    /// Every variant that means something.
    pub(in super::super) fn all() -> impl Iterator<Item = Self> {
        let with = |beside| Side::ALL.into_iter().map(move |side| Self { side, beside });
        with(Beside::Regression).chain(with(Beside::AtTime)).chain([Self::EXPECTED])
    }

    /// Whether the theorem says that the mismatch vanishes as the width grows.
    pub(in super::super) fn must_match(self) -> bool {
        match self.beside {
            Beside::Regression => false,
            Beside::AtTime => self.side != Side::Plain,
            Beside::Expected => self.side == Side::Plain,
        }
    }

    pub(in super::super) fn name(self) -> String {
        format!("{}, beside {}", self.side.name(), self.beside.name())
    }
}
