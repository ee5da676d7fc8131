//! What several test modules share: scratch folders, the built binary, servers.
