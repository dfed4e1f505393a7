"""Prints tests/crypto/noise_vectors.h: one WireGuard handshake with fixed keys.

Written from section 5.4 of the WireGuard paper alone, on Python's hashlib, hmac and cryptography,
so that the handshake of crypto/noise.cc is tested against something other than itself.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def hash_(data):
    return hashlib.blake2s(data).digest()


def mac(key, data):
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def hmac_(key, data):
    return hmac.new(key, data, hashlib.blake2s).digest()


def kdf(n, key, data):
    secret = hmac_(key, data)
    outputs, last = [], b""
    for i in range(1, n + 1):
        last = hmac_(secret, last + bytes([i]))
        outputs.append(last)
    return outputs


def seal(key, text, associated):
    return ChaCha20Poly1305(key).encrypt(bytes(12), text, associated)


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def exchange(private, peer):
    return X25519PrivateKey.from_private_bytes(private).exchange(
        X25519PublicKey.from_public_bytes(peer))


def fixed(label):
    return hashlib.sha256(b"wirelay handshake vector: " + label).digest()


si, sr, ei, er = (fixed(x) for x in (b"Si", b"Sr", b"Ei", b"Er"))
psk = fixed(b"Q")
timestamp = bytes.fromhex("400000006553f1000e000000")
initiator_index, responder_index = bytes.fromhex("78563412"), bytes.fromhex("efbeadde")

# Message 1
c = hash_(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
h = hash_(c + b"WireGuard v1 zx2c4 Jason@zx2c4.com")
h = hash_(h + public(sr))
(c,) = kdf(1, c, public(ei))
h = hash_(h + public(ei))
c, k = kdf(2, c, exchange(ei, public(sr)))
static = seal(k, public(si), h)
h = hash_(h + static)
c, k = kdf(2, c, exchange(si, public(sr)))
stamp = seal(k, timestamp, h)
h = hash_(h + stamp)
initiation = b"\x01\0\0\0" + initiator_index + public(ei) + static + stamp
initiation += mac(hash_(b"mac1----" + public(sr)), initiation) + bytes(16)
after_initiation = (c, h)

# Message 2
(c,) = kdf(1, c, public(er))
h = hash_(h + public(er))
(c,) = kdf(1, c, exchange(er, public(ei)))
(c,) = kdf(1, c, exchange(er, public(si)))
c, t, k = kdf(3, c, psk)
h = hash_(h + t)
nothing = seal(k, b"", h)
response = b"\x02\0\0\0" + responder_index + initiator_index + public(er) + nothing
response += mac(hash_(b"mac1----" + public(si)), response) + bytes(16)
first, second = kdf(2, c, b"")

print("""// One handshake with fixed keys, as hex: printed by make_noise_vectors.py, which shares no code with
// crypto/noise.cc.
#pragma once

#include <string_view>

namespace wirelay::test::noise_vectors {
""")
for name, value in (
        ("kInitiatorPrivate", si), ("kResponderPrivate", sr), ("kInitiatorEphemeral", ei),
        ("kPresharedKey", psk), ("kTimestamp", timestamp), ("kInitiation", initiation),
        ("kChainingKeyAfterInitiation", after_initiation[0]),
        ("kHashAfterInitiation", after_initiation[1]), ("kResponse", response),
        ("kInitiatorSends", first), ("kResponderSends", second)):
    text = value.hex()
    lines = [text[i:i + 88] for i in range(0, len(text), 88)]
    print(f"inline constexpr std::string_view {name} =")
    print("\n".join(f'    "{line}"' for line in lines) + ";")
print("""
}  // namespace wirelay::test::noise_vectors""")
