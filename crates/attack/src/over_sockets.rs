//! TODO
use crate::over_hub::OverHub;
use crate::quarry::Quarry;
pub struct Stand;
impl Stand {
    pub fn start<T>(_: T) -> Self {
        Self
    }
    pub fn air(&self, q: &Quarry) -> OverHub {
        OverHub::new(Default::default(), q.clone())
    }
}
