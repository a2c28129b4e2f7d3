//! OCB2 with AES-128, as Mumble protects its UDP packets: each begins with the low byte of a
//! counter and three bytes of the tag.
//!
//! Written from Rogaway's "Efficient Instantiations of Tweakable Blockciphers" (2004), with the
//! tag cut as Mumble's protocol says. OCB2 is broken as an authenticated cipher (2018): this is
//! here to speak to Mumble only.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

type Block = [u8; 16];

/// Counter byte and tag.
pub(super) const OVERHEAD: usize = 4;

/// One direction: a key and a counter.
pub(super) struct Ocb2 {
    aes: Aes128,
    counter: Block,
}

impl Ocb2 {
    pub(super) fn new(key: &Block, counter: Block) -> Self {
        Self { aes: Aes128::new(&(*key).into()), counter }
    }

    /// Encrypts the next packet.
    pub(super) fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        for byte in &mut self.counter {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        let (cipher, tag) = self.encrypt(plain);
        [&[self.counter[0]][..], &tag[..3], &cipher].concat()
    }

    /// Decrypts a packet that is the next one, or up to 127 after it. None: it is not genuine.
    pub(super) fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let ([counter, tag @ ..], cipher) = packet.split_first_chunk::<OVERHEAD>()?;
        let ahead = counter.wrapping_sub(self.counter[0]);
        if ahead == 0 || ahead > 127 {
            return None;
        }
        let mut wanted = self.counter;
        if *counter < wanted[0] {
            for byte in &mut wanted[1..] {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
        wanted[0] = *counter;
        let before = std::mem::replace(&mut self.counter, wanted);
        let (plain, full_tag) = self.decrypt(cipher);
        if full_tag[..3] == *tag {
            return Some(plain);
        }
        self.counter = before;
        None
    }

    fn encrypt(&self, plain: &[u8]) -> (Vec<u8>, Block) {
        let (mut delta, mut checksum) = (self.block(self.counter), [0; 16]);
        let (whole, last) = split(plain);
        let mut cipher = Vec::with_capacity(plain.len());
        for block in whole {
            delta = twice(delta);
            checksum = xor(checksum, *block);
            cipher.extend(xor(delta, self.block(xor(delta, *block))));
        }
        delta = twice(delta);
        let pad = self.block(xor(delta, length(last)));
        let mut filled = pad;
        filled[..last.len()].copy_from_slice(last);
        cipher.extend_from_slice(&xor(pad, filled)[..last.len()]);
        (cipher, self.tag(delta, xor(checksum, filled)))
    }

    fn decrypt(&self, cipher: &[u8]) -> (Vec<u8>, Block) {
        let (mut delta, mut checksum) = (self.block(self.counter), [0; 16]);
        let (whole, last) = split(cipher);
        let mut plain = Vec::with_capacity(cipher.len());
        for block in whole {
            delta = twice(delta);
            let mut inner = xor(delta, *block).into();
            self.aes.decrypt_block(&mut inner);
            let block = xor(delta, inner.into());
            checksum = xor(checksum, block);
            plain.extend(block);
        }
        delta = twice(delta);
        let pad = self.block(xor(delta, length(last)));
        let mut filled = [0; 16];
        filled[..last.len()].copy_from_slice(last);
        let filled = xor(filled, pad);
        plain.extend_from_slice(&filled[..last.len()]);
        // The rest of the last block is the pad: the zeros it was filled up with are under it.
        (plain, self.tag(delta, xor(checksum, filled)))
    }

    fn tag(&self, delta: Block, checksum: Block) -> Block {
        self.block(xor(xor(delta, twice(delta)), checksum))
    }

    fn block(&self, block: Block) -> Block {
        let mut block = block.into();
        self.aes.encrypt_block(&mut block);
        block.into()
    }
}

/// Whole blocks, and the last one, which is 1 to 16 bytes long (0 for an empty message).
fn split(bytes: &[u8]) -> (&[Block], &[u8]) {
    let whole = bytes.len().saturating_sub(1) / 16 * 16;
    let (whole, last) = bytes.split_at(whole);
    (whole.as_chunks().0, last)
}

/// The length of the last block in bits, as a number of 128 bits.
fn length(last: &[u8]) -> Block {
    ((last.len() * 8) as u128).to_be_bytes()
}

/// Times two in GF(2^128).
fn twice(block: Block) -> Block {
    let number = u128::from_be_bytes(block);
    let carry = if number >> 127 == 1 { 0x87 } else { 0 };
    (number << 1 ^ carry).to_be_bytes()
}

fn xor(a: Block, b: Block) -> Block {
    (u128::from_ne_bytes(a) ^ u128::from_ne_bytes(b)).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER_PERMISSIVE;

    /// From draft-krovetz-ocb-00: key and nonce 00 to 0f, messages 00 01 02 and so on.
    #[test]
    fn ciphertext_and_tag_are_those_of_the_published_vectors() {
        let count: Block = std::array::from_fn(|i| i as u8);
        let ocb = Ocb2::new(&count, count);
        for (length, cipher, tag) in [
            (0, "", "BF3108130773AD5EC70EC69E7875A7B0"),
            (8, "C636B3A868F429BB", "A45F5FDEA5C088D1D7C8BE37CABC8C5C"),
            (16, "52E48F5D19FE2D9869F0C4A4B3D2BE57", "F7EE49AE7AA5B5E6645DB6B3966136F9"),
            (24, "F75D6BC8B4DC8D66B836A2B08B32A636CC579E145D323BEB", "A1A50F822819D6E0A216784AC24AC84C"),
        ] {
            let plain: Vec<u8> = (0..length).collect();
            let (sealed, full_tag) = ocb.encrypt(&plain);
            let decode = |text: &str| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap();
            assert_eq!((sealed.clone(), full_tag.to_vec()), (decode(cipher), decode(tag)), "{length}");
            assert_eq!(ocb.decrypt(&sealed), (plain, full_tag));
        }
    }

    #[test]
    fn packets_are_opened_in_order_and_a_changed_one_is_not() {
        let (mut sender, mut receiver) = (Ocb2::new(&[7; 16], [250; 16]), Ocb2::new(&[7; 16], [250; 16]));
        for length in 1..80 {
            let plain = vec![length; usize::from(length)];
            let mut packet = sender.seal(&plain);
            assert_eq!(packet.len(), plain.len() + OVERHEAD);
            packet[OVERHEAD] ^= 1;
            assert_eq!(receiver.open(&packet), None);
            packet[OVERHEAD] ^= 1;
            assert_eq!(receiver.open(&packet), Some(plain));
        }
    }
}
