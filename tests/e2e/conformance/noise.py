"""WireGuard's cryptography by the paper (sections 5.4 and 5.4.2 to 5.4.7), of this suite alone: it
shares nothing with the relay, so that both would have to be wrong in the same way."""

import hashlib
import hmac
import os
import struct
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
NO_KEY = bytes(32)
TAI_OFFSET = (1 << 62) + 10


def digest(*parts: bytes) -> bytes:
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key: bytes, data: bytes) -> bytes:
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def kdf(count: int, key: bytes, data: bytes) -> list[bytes]:
    def authenticate(key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, hashlib.blake2s).digest()

    secret, keys = authenticate(key, data), [b""]
    for i in range(1, count + 1):
        keys.append(authenticate(secret, keys[-1] + bytes([i])))
    return keys[1:]


def seal(key: bytes, counter: int, text: bytes, data: bytes = b"") -> bytes:
    return ChaCha20Poly1305(key).encrypt(struct.pack("<IQ", 0, counter), text, data)


def open_sealed(key: bytes, counter: int, sealed: bytes, data: bytes = b"") -> bytes:
    """Raises InvalidTag."""
    return ChaCha20Poly1305(key).decrypt(struct.pack("<IQ", 0, counter), sealed, data)


def timestamp(unix_ns: int | None = None) -> bytes:
    """TAI64N, of now when no time is given."""
    seconds, nanoseconds = divmod(unix_ns if unix_ns is not None else time.time_ns(), 10**9)
    return struct.pack(">QI", TAI_OFFSET + seconds, nanoseconds)


# XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), which the cryptography package lacks ---------------


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def rotate(word: int, bits: int) -> int:
        return (word << bits | word >> 32 - bits) & 0xffffffff

    def quarter(a: int, b: int, c: int, d: int):
        for left, right, to, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[left] = (state[left] + state[right]) & 0xffffffff
            state[to] = rotate(state[to] ^ state[left], bits)

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])


def extended(key: bytes, nonce: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


# Keys ---------------------------------------------------------------------------------------------


class KeyPair:
    def __init__(self, private: bytes | None = None):
        self.secret = (X25519PrivateKey.from_private_bytes(private) if private
                       else X25519PrivateKey.generate())
        self.public = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def agree(self, public: bytes) -> bytes:
        return self.secret.exchange(X25519PublicKey.from_public_bytes(public))


class LowOrderKey:
    """A public key of low order: whatever it is multiplied with, zeros come out, so that anybody
    knows what was agreed on."""

    # The seven encodings of points of small order (https://cr.yp.to/ecdh.html#validate).
    POINTS = [bytes.fromhex(p) for p in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]

    def __init__(self, public: bytes):
        self.public = public

    def agree(self, public: bytes) -> bytes:
        return bytes(32)


# Handshakes ---------------------------------------------------------------------------------------


class Transcript:
    """Chaining key and hash, which both sides mix the same things into."""

    def __init__(self, responder: bytes):
        self.chain = digest(CONSTRUCTION)
        self.hash = digest(digest(self.chain, IDENTIFIER), responder)

    def mix_hash(self, data: bytes) -> bytes:
        self.hash = digest(self.hash, data)
        return data

    def mix_key(self, data: bytes):
        self.chain, = kdf(1, self.chain, data)

    def mix_ephemeral(self, public: bytes) -> bytes:
        self.mix_key(public)
        return self.mix_hash(public)

    def key(self, agreed: bytes) -> bytes:
        self.chain, key = kdf(2, self.chain, agreed)
        return key

    def mix_preshared(self, preshared: bytes) -> bytes:
        self.chain, tau, key = kdf(3, self.chain, preshared)
        self.mix_hash(tau)
        return key

    def seal(self, key: bytes, text: bytes) -> bytes:
        return self.mix_hash(seal(key, 0, text, self.hash))

    def open(self, key: bytes, sealed: bytes) -> bytes:
        text = open_sealed(key, 0, sealed, self.hash)
        self.mix_hash(sealed)
        return text

    def transport_keys(self) -> tuple[bytes, bytes]:
        """The initiator's for sending, and for receiving."""
        sending, receiving = kdf(2, self.chain, b"")
        return sending, receiving


class Initiator:
    """One handshake, begun by `static` with the owner of `remote`."""

    def __init__(self, static: KeyPair, remote: bytes, ephemeral=None):
        self.static, self.remote = static, remote
        self.ephemeral = ephemeral or KeyPair()
        self.index = os.urandom(4)

    def message(self, stamp: bytes) -> bytes:
        """Without its MACs."""
        self.transcript = t = Transcript(self.remote)
        head = b"\1\0\0\0" + self.index + t.mix_ephemeral(self.ephemeral.public)
        static = t.seal(t.key(self.ephemeral.agree(self.remote)), self.static.public)
        return head + static + t.seal(t.key(self.static.agree(self.remote)), stamp)

    def finish(self, response: bytes, preshared: bytes) -> "Session":
        """Raises InvalidTag when the response answers another message or with another key."""
        t = self.transcript
        theirs = t.mix_ephemeral(response[12:44])
        t.mix_key(self.ephemeral.agree(theirs))
        t.mix_key(self.static.agree(theirs))
        if t.open(t.mix_preshared(preshared), response[44:60]) != b"":
            raise ValueError("a response that carries something")
        sending, receiving = t.transport_keys()
        return Session(sending, receiving, self.index, response[4:8])


class Responder:
    """An initiation to `static`, read: raises InvalidTag when it is not right."""

    def __init__(self, static: KeyPair, initiation: bytes):
        self.message = initiation
        self.transcript = t = Transcript(static.public)
        self.sender = initiation[4:8]
        self.ephemeral = t.mix_ephemeral(initiation[8:40])
        self.remote = t.open(t.key(static.agree(self.ephemeral)), initiation[40:88])
        self.timestamp = t.open(t.key(static.agree(self.remote)), initiation[88:116])

    def answer(self, preshared: bytes, ephemeral=None) -> tuple[bytes, "Session"]:
        """The response without its MACs, and the session."""
        t, ephemeral, index = self.transcript, ephemeral or KeyPair(), os.urandom(4)
        head = b"\2\0\0\0" + index + self.sender + t.mix_ephemeral(ephemeral.public)
        t.mix_key(ephemeral.agree(self.ephemeral))
        t.mix_key(ephemeral.agree(self.remote))
        message = head + t.seal(t.mix_preshared(preshared), b"")
        theirs, ours = t.transport_keys()
        return message, Session(ours, theirs, index, self.sender)


class Session:
    """Transport data of one session. `index` is ours, `remote` the other side's."""

    OVERHEAD = 32

    def __init__(self, send_key: bytes, receive_key: bytes, index: bytes, remote: bytes):
        self.send_key, self.receive_key = send_key, receive_key
        self.index, self.remote = index, remote
        self.counter = 0

    def seal(self, inner: bytes, counter: int | None = None) -> bytes:
        """A message with `inner` padded. A counter that is given is used as it is, and not kept."""
        if counter is None:
            counter, self.counter = self.counter, self.counter + 1
        return self.seal_bare(inner + bytes(-len(inner) % 16), counter)

    def seal_bare(self, text: bytes, counter: int) -> bytes:
        return (b"\4\0\0\0" + self.remote + struct.pack("<Q", counter)
                + seal(self.send_key, counter, text))

    def open(self, message: bytes) -> tuple[int, bytes]:
        """Counter and text with its padding. Raises InvalidTag."""
        counter, = struct.unpack("<Q", message[8:16])
        return counter, open_sealed(self.receive_key, counter, message[16:])

    def is_for_us(self, message: bytes) -> bool:
        return message[4:8] == self.index


# MACs and cookies (section 5.4.4 and 5.4.7) -------------------------------------------------------


def with_macs(message: bytes, receiver: bytes, cookie: bytes | None = None) -> bytes:
    first = message + mac(digest(b"mac1----", receiver), message)
    return first + (mac(cookie, first) if cookie else bytes(16))


def macs_of(message: bytes) -> tuple[bytes, bytes]:
    return message[-32:-16], message[-16:]


def seal_cookie(receiver_index: bytes, cookie: bytes, ours: bytes, mac1: bytes) -> bytes:
    """A cookie reply to the message with this mac1, from the owner of the public key `ours`."""
    nonce = os.urandom(24)
    cipher, inner_nonce = extended(digest(b"cookie--", ours), nonce)
    return b"\3\0\0\0" + receiver_index + nonce + cipher.encrypt(inner_nonce, cookie, mac1)


def open_cookie(reply: bytes, theirs: bytes, mac1: bytes) -> bytes:
    cipher, nonce = extended(digest(b"cookie--", theirs), reply[8:32])
    return cipher.decrypt(nonce, reply[32:64], mac1)
