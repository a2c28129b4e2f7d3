//! A variable of the environment, read as the type that its key has.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// The text of a variable. Lists are separated by commas, labels of channels are written like
/// `9=Emergency,19=Calling`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable<'a>(pub(super) &'a str);

impl<'a> Variable<'a> {
    fn parse<T: FromStr<Err: Display>>(self) -> Result<T, Error> {
        self.0.parse().map_err(|error| Error::custom(format!("{:?}: {error}", self.0)))
    }

    fn items(self) -> impl Iterator<Item = Variable<'a>> {
        self.0.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Variable)
    }

    fn labelled(self) -> Result<(Self, Self), Error> {
        let (key, label) =
            self.0.split_once('=').ok_or_else(|| Error::custom(format!("{:?}: write 19=Calling", self.0)))?;
        Ok((Self(key), Self(label)))
    }
}

impl<'de> Deserializer<'de> for Variable<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.parse()?)
    }

    /// As far as TOML has numbers.
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(self.parse()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.parse()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.items()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let pairs = self.items().map(Self::labelled).collect::<Result<Vec<_>, _>>()?;
        visitor.visit_map(MapDeserializer::new(pairs.into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 f32 char str string bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Variable<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
