//! What the protos say, compiled once at start: which RPCs there are, who may call them, how
//! they stream, and the rules of their messages.
//!
//! Reads the encoded descriptors that the contracts crate embeds; knows no RPC by name.

use std::collections::HashMap;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ServiceDescriptor};

use crate::validate::{MessageRules, Rules};

/// The method option that names the scope of an RPC.
const ACCESS_OPTION: &str = "recourse.options.v1.access";

/// The compiled contract. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Contract(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    descriptors: &'static [u8],
    methods: HashMap<String, Arc<Method>>,
    rules: Rules,
}

/// Why descriptors cannot be served: each mistake on its own line.
#[derive(Debug, thiserror::Error)]
#[error("the contract cannot be enforced:\n  {}", .0.join("\n  "))]
pub struct ContractError(pub Vec<String>);

/// One RPC.
#[derive(Debug)]
pub struct Method {
    /// The path on the wire: `/recourse.reports.v1.ReportsService/FileReport`.
    pub path: String,
    /// The full name of its service: `recourse.reports.v1.ReportsService`.
    pub service: String,
    /// Its own name: `FileReport`.
    pub name: String,
    /// The domain of the errors that it gives: `reports.recourse`.
    pub domain: String,
    /// Who may call it; without it nobody may.
    pub access: Option<Access>,
    /// The caller sends any number of messages.
    pub client_streaming: bool,
    /// The server sends any number of messages.
    pub server_streaming: bool,
    /// The rules of the request message.
    pub rules: MessageRules,
}

/// The `recourse.options.v1.Access` of an RPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The scope needed to call it at all. Empty if public.
    pub scope: String,
    /// The scope that lifts the limit to the caller's own records. Empty if there is none.
    pub all_scope: String,
    /// Anyone may call it, without credentials.
    pub public: bool,
}

impl Contract {
    /// Compiles an encoded `FileDescriptorSet` that holds all imports.
    ///
    /// # Errors
    /// Every rule and option that could not be enforced.
    pub fn load(descriptors: &'static [u8]) -> Result<Contract, ContractError> {
        let pool = DescriptorPool::decode(descriptors)
            .map_err(|error| ContractError(vec![format!("no descriptor set: {error}")]))?;
        let rules = Rules::compile(&pool).map_err(ContractError)?;
        let mut mistakes = Vec::new();
        let mut methods = HashMap::new();
        for service in pool.services() {
            for descriptor in service.methods() {
                let access = access(&pool, &descriptor).unwrap_or_else(|mistake| {
                    mistakes.push(mistake);
                    None
                });
                let Some(rules) = rules.message(descriptor.input().full_name()) else { continue };
                let method = method(&service, &descriptor, access, rules);
                methods.insert(method.path.clone(), Arc::new(method));
            }
        }
        if !mistakes.is_empty() {
            return Err(ContractError(mistakes));
        }
        Ok(Contract(Arc::new(Inner { descriptors, methods, rules })))
    }

    /// The RPC at a path, if there is one.
    pub fn method(&self, path: &str) -> Option<&Arc<Method>> {
        self.0.methods.get(path)
    }

    /// Every RPC, in no order: for the test that each of them names its scope.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.0.methods.values()
    }

    /// The rules of every message, for what arrives otherwise than as a unary request.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// The rules of a generated message type.
    ///
    /// # Panics
    /// If the contract has no such message, which is a mistake in the program.
    pub fn rules_of<M: prost::Name>(&self) -> MessageRules {
        let name = M::full_name();
        let rules = self.0.rules.message(&name);
        rules.unwrap_or_else(|| panic!("the contract has no message {name}"))
    }

    /// The encoded descriptors.
    pub fn descriptors(&self) -> &'static [u8] {
        self.0.descriptors
    }
}

fn method(
    service: &ServiceDescriptor,
    descriptor: &MethodDescriptor,
    access: Option<Access>,
    rules: MessageRules,
) -> Method {
    Method {
        path: format!("/{}/{}", service.full_name(), descriptor.name()),
        service: service.full_name().to_owned(),
        name: descriptor.name().to_owned(),
        domain: domain_of(service.package_name()),
        access,
        client_streaming: descriptor.is_client_streaming(),
        server_streaming: descriptor.is_server_streaming(),
        rules,
    }
}

/// `recourse.reports.v1` gives `reports.recourse`; another form of name stands as it is.
fn domain_of(package: &str) -> String {
    match package.split('.').collect::<Vec<_>>().as_slice() {
        [suite, service, _version] => format!("{service}.{suite}"),
        _ => package.to_owned(),
    }
}

fn access(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Option<Access>, String> {
    let Some(option) = pool.get_extension_by_name(ACCESS_OPTION) else { return Ok(None) };
    let options = method.options();
    if !options.has_extension(&option) {
        return Ok(None);
    }
    let value = options.get_extension(&option);
    let Some(message) = value.as_message() else { return Ok(None) };
    let access = Access {
        scope: text(message, "scope"),
        all_scope: text(message, "all_scope"),
        public: message
            .get_field_by_name("public")
            .and_then(|value| value.as_bool())
            .unwrap_or(false),
    };
    if access.public != access.scope.is_empty() {
        return Err(format!("{}: exactly one of scope and public is set", method.full_name()));
    }
    Ok(Some(access))
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::fixture;

    /// Every proto file below a folder, relative to it.
    fn protos(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                protos(root, &path, found);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                found.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_proto_of_the_repository_can_be_enforced_and_names_its_scopes() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
        let mut files = Vec::new();
        protos(&root, &root, &mut files);
        for file in files {
            let descriptors = fixture::compile(&root, file.to_str().unwrap());
            let contract = Contract::load(descriptors.leak()).unwrap();
            for method in contract.methods() {
                assert!(method.access.is_some(), "{} names no scope", method.path);
            }
        }
    }

    #[test]
    fn the_options_of_an_rpc_are_read() {
        let contract = &*fixture::CONTRACT;
        let method = |name: &str| {
            contract.method(&format!("/recourse.sample.v1.SampleService/{name}")).unwrap().clone()
        };
        let echo = method("Echo");
        let access = echo.access.as_ref().unwrap();
        assert_eq!((&*access.scope, &*access.all_scope), ("sample.echo", "sample.echo_all"));
        assert_eq!((&*echo.domain, echo.server_streaming), ("sample.recourse", false));
        assert!(method("Watch").server_streaming && method("Upload").client_streaming);
        assert!(method("Open").access.as_ref().unwrap().public);
        assert!(method("Unscoped").access.is_none());
        assert!(contract.method("/x/Y").is_none() && contract.methods().count() == 5);
    }

    #[test]
    fn an_option_that_says_both_or_nothing_is_refused() {
        for option in ["scope: \"a\" public: true", ""] {
            let proto = format!(
                "syntax = \"proto3\"; import \"recourse/options/v1/options.proto\"; \
                 message M {{}} service S {{ rpc R(M) returns (M) {{ \
                 option (recourse.options.v1.access) = {{{option}}}; }} }}"
            );
            let descriptors = fixture::pool_of(&proto).encode_to_vec().leak();
            let error = Contract::load(descriptors).unwrap_err().to_string();
            assert!(error.contains("S.R: exactly one"), "{error}");
        }
        assert!(Contract::load(b"rubbish").is_err());
    }

    #[test]
    fn the_domain_is_service_then_suite() {
        assert_eq!(domain_of("recourse.reports.v1"), "reports.recourse");
        assert_eq!(domain_of("other"), "other");
    }
}
