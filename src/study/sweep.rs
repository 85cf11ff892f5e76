//! A setting that is one value or a list of values: `width = 512` or `width = [64, 512]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor, value};
use serde::{Serialize, Serializer};

/// The values a setting runs through.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep<T>(pub Vec<T>);

impl<T: Serialize> Serialize for Sweep<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [value] => value.serialize(serializer),
            values => values.serialize(serializer),
        }
    }
}

// By hand, because an untagged enum would answer a wrong value with "did not match any variant".
impl<'de> Deserialize<'de> for Sweep<usize> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany(PhantomData))
    }
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de> Visitor<'de> for OneOrMany<usize> {
    type Value = Sweep<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 up, or a list of them")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        let value =
            usize::try_from(value).map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(value), &self))?;
        Ok(Sweep(vec![value]))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        let value =
            usize::try_from(value).map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self))?;
        Ok(Sweep(vec![value]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        Deserialize::deserialize(value::SeqAccessDeserializer::new(sequence)).map(Sweep)
    }
}
