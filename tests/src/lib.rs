//! Journeys over real sockets, faults, clients in other languages, and the tidiness of the tree.
//! The tests are in `tests/`; there is nothing here.
