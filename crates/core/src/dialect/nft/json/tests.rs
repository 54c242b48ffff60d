//! Reading by example.
