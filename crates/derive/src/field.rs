//! One field of an attributes struct: its flags, and the code made of it.

use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{
    Attribute, Error, Expr, ExprArray, ExprLit, GenericArgument, Ident, Lit, LitStr, Meta, PathArguments,
    Type,
};

/// A field with its flags.
pub(crate) struct Field {
    name: Ident,
    documentation: String,
    /// The type, without the `Option` around it.
    value_type: Type,
    optional: bool,
    flags: Flags,
}

#[derive(Default)]
struct Flags {
    default: Option<Expr>,
    one_of: Vec<LitStr>,
    refers_to: Vec<LitStr>,
    owner: Option<LitStr>,
    follows: Option<LitStr>,
    normalize: Option<Expr>,
    /// `always`, `handed_over`, `holds`, `replace`, `sensitive`, `stepwise`, `write_only` and `volatile`, as written.
    words: Vec<Ident>,
}

const WORDS: [&str; 8] =
    ["always", "handed_over", "holds", "replace", "sensitive", "stepwise", "write_only", "volatile"];

impl Field {
    pub(crate) fn parse(field: &syn::Field) -> Result<Self, Error> {
        let name = field.ident.clone().expect("only structs with named fields come here");
        let documentation = documentation(&field.attrs).ok_or_else(|| {
            Error::new_spanned(&name, "a doc comment is needed: it is the attribute's text in the reference")
        })?;
        let mut flags = Flags::default();
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("attribute")) {
            attribute.parse_nested_meta(|meta| flags.parse(&meta))?;
        }
        let inner = option_inner(&field.ty);
        let optional = inner.is_some();
        let value_type = inner.unwrap_or(&field.ty).clone();
        Ok(Self { name, documentation, value_type, optional, flags })
    }

    /// Returns an expression of type `AttributeSchema`.
    pub(crate) fn schema(&self) -> Tokens {
        let Self { name, documentation, value_type, optional, flags } = self;
        let name = name.unraw().to_string();
        let required = !optional;
        let one_of = (!flags.one_of.is_empty()).then(|| {
            let values = &flags.one_of;
            quote!(schema.one_of = &[#(#values),*];)
        });
        let refers_to = (!flags.refers_to.is_empty()).then(|| {
            let kinds = &flags.refers_to;
            quote!(schema.refers_to = &[#(#kinds),*];)
        });
        let owner = flags
            .owner
            .as_ref()
            .map(|attribute| quote!(schema.owner = ::std::option::Option::Some(#attribute);));
        let follows = flags.follows.as_ref().map(|way| {
            let way = way.value();
            let (by, attribute) = way.split_once('.').unwrap_or((&way, ""));
            quote! {
                schema.follows = ::std::option::Option::Some(
                    ::straddle_engine::schema::Follows { by: #by, attribute: #attribute }
                );
            }
        });
        let default = flags.default.as_ref().map(|default| {
            quote!(schema.default = ::std::option::Option::Some(::straddle_engine::value::Value::from(#default));)
        });
        let normalize = flags
            .normalize
            .as_ref()
            .map(|function| quote!(schema.normalize = ::std::option::Option::Some(#function);));
        let words = flags.words.iter().map(|word| quote!(schema.#word = true;));
        quote! {{
            let mut schema = ::straddle_engine::schema::AttributeSchema::new(
                #name,
                #documentation,
                <#value_type as ::straddle_engine::schema::AttributeValue>::attribute_type(),
            );
            schema.required = #required;
            #one_of
            #refers_to
            #owner
            #follows
            #default
            #normalize
            #(#words)*
            schema
        }}
    }

    /// Returns the field of a struct expression that reads it from `values`.
    pub(crate) fn read(&self) -> Tokens {
        let Self { name, value_type, optional, .. } = self;
        let text = name.unraw().to_string();
        let read = quote!(<#value_type as ::straddle_engine::schema::AttributeValue>::from_value);
        if *optional {
            return quote! {
                #name: match values.get(#text) {
                    ::std::option::Option::None | ::std::option::Option::Some(::straddle_engine::value::Value::Null) => {
                        ::std::option::Option::None
                    }
                    ::std::option::Option::Some(value) => ::std::option::Option::Some(
                        #read(value).map_err(|mismatch| mismatch.inside(#text))?
                    ),
                }
            };
        }
        quote! {
            #name: #read(values.get(#text).unwrap_or(&::straddle_engine::value::Value::Null))
                .map_err(|mismatch| mismatch.inside(#text))?
        }
    }

    /// Returns a statement that puts the field into `values`.
    pub(crate) fn write(&self) -> Tokens {
        let Self { name, optional, .. } = self;
        let text = name.unraw().to_string();
        let insert = quote! {
            values.insert(#text.to_owned(), ::straddle_engine::schema::AttributeValue::to_value(field));
        };
        if *optional {
            quote!(if let ::std::option::Option::Some(field) = &self.#name { #insert })
        } else {
            quote!({ let field = &self.#name; #insert })
        }
    }
}

impl Flags {
    fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> Result<(), Error> {
        let flag = meta.path.require_ident()?.clone();
        match flag.to_string().as_str() {
            "default" => self.default = Some(meta.value()?.parse()?),
            "normalize" => self.normalize = Some(meta.value()?.parse()?),
            "one_of" => self.one_of = strings(&meta.value()?.parse()?)?,
            "refers_to" => self.refers_to = strings(&meta.value()?.parse()?)?,
            "owner" => self.owner = Some(meta.value()?.parse()?),
            "follows" => self.follows = Some(way(&meta.value()?.parse()?)?),
            word if WORDS.contains(&word) => self.words.push(flag),
            _ => return Err(meta.error("no such flag; see the documentation of `Attributes`")),
        }
        Ok(())
    }
}

/// Reads `"attribute.attribute"`.
fn way(text: &LitStr) -> Result<LitStr, Error> {
    let is_way = text.value().split('.').filter(|name| !name.is_empty()).count() == 2;
    let wrong =
        "an attribute of this struct is needed, a point, and one of what it names: `cluster_name.version`";
    if is_way { Ok(text.clone()) } else { Err(Error::new_spanned(text, wrong)) }
}

/// Reads `"a"` or `["a", "b"]`.
fn strings(expression: &Expr) -> Result<Vec<LitStr>, Error> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(vec![text.clone()]),
        Expr::Array(ExprArray { elems, .. }) => {
            Ok(elems.iter().map(strings).collect::<Result<Vec<_>, _>>()?.concat())
        }
        _ => Err(Error::new_spanned(expression, "a string or a list of strings is needed")),
    }
}

/// Returns the `T` of an `Option<T>`.
fn option_inner(field_type: &Type) -> Option<&Type> {
    let Type::Path(path) = field_type else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// Returns the doc comment, its lines joined, or `None` if there is none.
pub(crate) fn documentation(attributes: &[Attribute]) -> Option<String> {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<_> =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
