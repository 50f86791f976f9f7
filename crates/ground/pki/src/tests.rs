//! Handshakes, files and tokens.
