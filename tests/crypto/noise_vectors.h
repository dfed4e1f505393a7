// One handshake with fixed keys, as hex: printed by make_noise_vectors.py, which shares no code
// with crypto/noise.cc.
#pragma once

#include <string_view>

namespace wirelay::test::noise_vectors {

inline constexpr std::string_view kInitiatorPrivate =
    "35863ebe30faf2a80e1655d8ac3545f556ff1d30e436993f47dc84a35aa23432";
inline constexpr std::string_view kResponderPrivate =
    "02a08a28279611871ad27a69c05f150323e9b94a604ac111447ce604e81aec65";
inline constexpr std::string_view kInitiatorEphemeral =
    "0a2abe76315e3970545bb8a0c6774b0fc30cbe27c31cc33da98e61eca7713f39";
inline constexpr std::string_view kPresharedKey =
    "7349ebba7077454fc0e7ebc648f6aa5cf15c12460001ff8f97c3ca5b0dda699c";
inline constexpr std::string_view kTimestamp = "400000006553f1000e000000";
inline constexpr std::string_view kInitiation =
    "01000000785634126d4d2f33e527e3aa9f57b38d9bdbcc1d57ac1b1b9aeee80b911d16bf0c67de52c7af6cce"
    "a7351e96f4e6120cd36f9145080d04202649324c11fcce8ee99e284f9597eae6cfd48757ee8f47e042419171"
    "19b5802692b76946cc0009097cdb58da1a11ce8c8a9573b0d3e6b952281492350b6d11c062b5614ec0009a8d"
    "00000000000000000000000000000000";
inline constexpr std::string_view kChainingKeyAfterInitiation =
    "61f0ee983eb6fe31f96056db6d21bbb961fd1aa3ea8e783b64b468f2b68bfe6c";
inline constexpr std::string_view kHashAfterInitiation =
    "8174014af6f5b9557247aabe25667b1baa9b2c2616fad19c0abb7e9902671562";
inline constexpr std::string_view kResponse =
    "02000000efbeadde7856341206d7b334d3feebc791918c6728771c8de30c590a8d223e5dcb06867641fdee2a"
    "7f20a97c44febebb21d140ff797730751e20fb8f56e79e88951f588396f9b780000000000000000000000000"
    "00000000";
inline constexpr std::string_view kInitiatorSends =
    "026406bfbf4f01cc7052623c5df5b06c794ceaf0b119524e90d099004d3e8a4d";
inline constexpr std::string_view kResponderSends =
    "de3feda19e47d8559daa6c732d13cea1d7bb24094f95088d729e2cd8987bbcc4";

}  // namespace wirelay::test::noise_vectors
