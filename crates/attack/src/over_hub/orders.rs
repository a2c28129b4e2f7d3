//! Carries out the hub's orders at once: no queue, no deck, no silence that ends a burst.

use tenfour_core::ConnId;
use tenfour_core::front::{DeckOrder, Handover, Order, PortOrder, PortOutput, Unwritten};
use tenfour_core::hub::{Hears, Input};
use tenfour_protocol::{BurstNo, ServerMessage, VoiceFrame};

use super::{OnAir, OverHub};

impl OverHub {
    pub(super) fn tell(&mut self, input: Input) {
        self.hub.handle(input, self.now);
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.hub.poll() {
            for handover in self.dispatch.at_once(output, &Unwritten(|_| 0)) {
                let Handover::Worker(_, orders) = handover else { continue };
                orders.into_iter().for_each(|order| self.obey(order));
            }
        }
    }

    fn obey(&mut self, order: Order<ServerMessage>) {
        match order {
            Order::Send { to, message } => {
                to.into_iter().for_each(|conn| self.deliver(conn, message.clone()));
            }
            Order::Deck(order) => self.obey_for_deck(order),
            Order::Port { conn, order } => match self.lines.get_mut(&conn) {
                Some(line) => {
                    line.port.obey(order, self.now);
                    if let PortOrder::Admit { local, .. } = order {
                        line.talks = Some(local);
                        line.port.frame(&a_frame(local), self.now);
                    }
                    self.drain_port(conn);
                }
                None => order.without_port(conn).into_iter().for_each(|input| self.tell(input)),
            },
            Order::Disconnect { conn, .. } => self.disconnect(conn, false),
            Order::Relay { .. } => {}
        }
    }

    /// In place of a deck: what is told of bursts, at once and without their voice.
    fn obey_for_deck(&mut self, order: DeckOrder<ServerMessage>) {
        match order {
            DeckOrder::Open { burst, started, tuned, .. } => {
                let listeners: Vec<_> = tuned.iter().filter_map(|who| who.hears()).collect();
                for Hears { conn, grade } in &listeners {
                    self.deliver(*conn, started.of(*grade).clone());
                }
                let listeners = listeners.into_iter().map(|hears| hears.conn).collect();
                self.bursts.insert(burst, OnAir { started, listeners });
            }
            DeckOrder::Join { burst, who, .. } => {
                if let (Some(on_air), Some(Hears { conn, grade })) = (self.bursts.get(&burst), who.hears()) {
                    self.deliver(conn, on_air.started.of(grade).clone());
                }
            }
            // Only to listeners of the beginning: an attacker would learn nothing more from other ends.
            DeckOrder::Close { burst, ended } => {
                let listeners = self.bursts.get(&burst).map(|on_air| on_air.listeners.clone());
                listeners.into_iter().flatten().for_each(|conn| self.deliver(conn, ended.clone()));
            }
            DeckOrder::Leave { .. } | DeckOrder::Bundle { .. } => {}
        }
    }

    pub(super) fn drain_port(&mut self, conn: ConnId) {
        while let Some(output) = self.lines.get_mut(&conn).and_then(|line| line.port.poll()) {
            match output {
                PortOutput::Hub(input) => {
                    if let (Input::BurstClosed { local, .. }, Some(line)) =
                        (&input, self.lines.get_mut(&conn))
                    {
                        line.talks.take_if(|talks| talks == local);
                    }
                    self.tell(input);
                }
                PortOutput::Send(message) => self.deliver(conn, message),
                PortOutput::Frame { .. } | PortOutput::Ping => {}
            }
        }
    }
}

/// One frame, so that a burst was heard. More would say nothing of a place.
fn a_frame(burst: BurstNo) -> Vec<u8> {
    let payload = &[1 << 3, 1, 2, 3];
    VoiceFrame { burst, seq: 0, media_time: 0, last: false, payload }.to_bytes()
}
