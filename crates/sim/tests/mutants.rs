//! Broken hubs are noticed.
