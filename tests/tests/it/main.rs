//! The suite as its users meet it: journeys over real sockets, faults, bad input, clients in other
//! languages; and the tidiness of the tree.

mod bad_input;
mod grpc_web;
mod impersonation;
mod journey;
mod python;
mod replicas;
mod support;
mod tidy;
mod validation;
