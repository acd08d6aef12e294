//! `#[derive(Attributes)]`: one struct feeds validation, the diff, the reference and the JSON Schema.

#![expect(clippy::wildcard_enum_match_arm, reason = "the enums of `syn` grow with the language")]

mod field;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, parse_macro_input};

use crate::field::Field;

/// Implements `straddle_engine::schema::Attributes` (and `AttributeValue`, so that the struct can
/// be a table inside an attribute) for a struct with named fields.
///
/// The struct and every field need a doc comment: it is the text of the reference. A field of
/// type `Option<T>` is optional, every other is required. Flags stand in `#[attribute(...)]`:
///
/// | flag | meaning |
/// | --- | --- |
/// | `replace` | another value means another resource |
/// | `default = EXPRESSION` | what the service does if it is not set; anything that becomes a `Value` |
/// | `always` | the default is wanted also where the spec says nothing |
/// | `one_of = ["a", "b"]` | the only values that are allowed |
/// | `refers_to = "KIND"` or `["KIND", ..]` | takes the `id` of a resource of these kinds |
/// | `holds` | what it names cannot be deleted as long as it names it |
/// | `owner = "ATTRIBUTE"` | that attribute takes the id of the account that the resource belongs to, if it is another one |
/// | `follows = "ATTRIBUTE.ATTRIBUTE"` | where the spec does not set it, it is what the resource that the first attribute names has as the second |
/// | `normalize = FUNCTION` | puts the text into the form in which the service returns it |
/// | `sensitive` | never shown |
/// | `stepwise` | it changes only once everything that follows it has come as far; see `Resource::waypoint` |
/// | `write_only` | the service never returns it |
/// | `handed_over` | others may change it once it was set: only another value in the spec is a change |
/// | `volatile` | an output that an update may change |
#[proc_macro_derive(Attributes, attributes(attribute))]
pub fn derive_attributes(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> Result<Tokens, Error> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(input, "attributes are the named fields of a struct"));
    };
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new_spanned(input, "attributes are the named fields of a struct"));
    };
    let fields = named.named.iter().map(Field::parse).collect::<Result<Vec<_>, _>>()?;
    let documentation = field::documentation(&input.attrs).ok_or_else(|| {
        Error::new_spanned(&input.ident, "a doc comment is needed: it is the kind's text in the reference")
    })?;
    let name = &input.ident;
    let schemas = fields.iter().map(Field::schema);
    let reads = fields.iter().map(Field::read);
    let writes = fields.iter().map(Field::write);
    Ok(quote! {
        impl ::straddle_engine::schema::Attributes for #name {
            fn documentation() -> &'static str {
                #documentation
            }

            fn attributes() -> ::std::vec::Vec<::straddle_engine::schema::AttributeSchema> {
                ::std::vec![#(#schemas),*]
            }

            fn from_values(
                values: &::straddle_engine::value::ValueMap,
            ) -> ::std::result::Result<Self, ::straddle_engine::schema::TypeMismatch> {
                ::std::result::Result::Ok(Self { #(#reads),* })
            }

            fn to_values(&self) -> ::straddle_engine::value::ValueMap {
                let mut values = ::straddle_engine::value::ValueMap::new();
                #(#writes)*
                values
            }
        }

        impl ::straddle_engine::schema::AttributeValue for #name {
            fn attribute_type() -> ::straddle_engine::schema::AttributeType {
                ::straddle_engine::schema::AttributeType::Object(
                    <Self as ::straddle_engine::schema::Attributes>::attributes(),
                )
            }

            fn from_value(
                value: &::straddle_engine::value::Value,
            ) -> ::std::result::Result<Self, ::straddle_engine::schema::TypeMismatch> {
                match value.as_map() {
                    ::std::option::Option::Some(values) => {
                        <Self as ::straddle_engine::schema::Attributes>::from_values(values)
                    }
                    ::std::option::Option::None => {
                        ::std::result::Result::Err(::straddle_engine::schema::TypeMismatch::new("a table", value))
                    }
                }
            }

            fn to_value(&self) -> ::straddle_engine::value::Value {
                ::straddle_engine::value::Value::Map(
                    <Self as ::straddle_engine::schema::Attributes>::to_values(self),
                )
            }
        }
    })
}
