//! The client side: link, button, playout.
