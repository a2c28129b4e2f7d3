//! Voice: frames, burst logs, cursors, wiping.
