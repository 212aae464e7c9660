// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {LittleEndian} from "../../src/attestation/LittleEndian.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {vm} from "./Vm.sol";

/// Statements and quotes as a TEE would make them, with keys that the tests have.
library QuoteForge {
    uint256 internal constant PCK_KEY = uint256(keccak256("pck"));
    uint256 internal constant ATTESTATION_KEY = uint256(keccak256("attestation"));
    uint256 internal constant P256_N =
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    bytes internal constant AUTH_DATA = "auth data of the quoting enclave";

    function encode(Statement.Fields memory f, bytes memory version, bytes memory spki)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory head = bytes.concat(
            run("teetee statement v2"), hex"01", run(version), le64(f.chainId), bytes20(f.registry)
        );
        bytes memory middle = bytes.concat(
            le64(f.pool),
            f.modelRoot,
            f.shardRoot,
            LittleEndian.prefix(f.layersBegin),
            LittleEndian.prefix(f.layersEnd),
            f.policyHash
        );
        return bytes.concat(
            head,
            middle,
            run(spki),
            f.hpkeKey,
            bytes20(f.receiptKey),
            le64(f.notBefore),
            le64(f.notAfter)
        );
    }

    function encode(Statement.Fields memory f) internal pure returns (bytes memory) {
        return encode(f, "teetee 0.1.0", new bytes(91));
    }

    /// A TD report 1.0 that nothing is wrong with.
    function report(bytes32 high, bytes32 low) internal pure returns (bytes memory out) {
        out = new bytes(584);
        put(out, 0, hex"0b010400000000000000000000000000");
        put(out, 16, filled(0x5e, 48));
        put(out, 120, hex"0000001000000000e702060000000000");
        put(out, 136, filled(0x3d, 48));
        for (uint256 i = 0; i < 4; ++i) {
            put(out, 328 + 48 * i, filled(uint8(0xa0 + i), 48));
        }
        put(out, 520, bytes.concat(high, low));
    }

    /// The same as a report 1.5.
    function report15(bytes32 high, bytes32 low) internal pure returns (bytes memory) {
        return bytes.concat(report(high, low), hex"0c010500000000000000000000000000", new bytes(48));
    }

    function header(uint16 version) internal pure returns (bytes memory out) {
        out = new bytes(48);
        out[0] = bytes1(uint8(version));
        out[2] = 0x02;
        out[4] = 0x81;
        put(out, 12, hex"939a7233f79c4ca9940a0db3957f0607");
    }

    function signedPart(uint16 version, bytes memory tdReport)
        internal
        pure
        returns (bytes memory)
    {
        if (version == 4) return bytes.concat(header(version), tdReport);
        bytes2 kind = tdReport.length == 648 ? bytes2(0x0300) : bytes2(0x0200);
        return bytes.concat(header(version), kind, LittleEndian.prefix(tdReport.length), tdReport);
    }

    function qeReport(bytes memory authData) internal pure returns (bytes memory out) {
        out = new bytes(384);
        put(out, 0, filled(0x0c, 16));
        out[48] = 0x11;
        put(out, 64, filled(0x9e, 32));
        put(out, 128, hex"dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5");
        out[256] = 0x02;
        out[258] = 0x0b;
        put(out, 320, bytes.concat(sha256(bytes.concat(point(ATTESTATION_KEY), authData))));
    }

    function quote(bytes memory signed, bytes memory qe, bytes memory authData, bytes memory chain)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory certified = bytes.concat(
            qe,
            sign(PCK_KEY, qe),
            bytes2(LittleEndian.prefix(authData.length)),
            authData,
            hex"0500",
            LittleEndian.prefix(chain.length),
            chain
        );
        bytes memory signature = bytes.concat(
            sign(ATTESTATION_KEY, signed),
            point(ATTESTATION_KEY),
            hex"0600",
            LittleEndian.prefix(certified.length),
            certified
        );
        return bytes.concat(signed, LittleEndian.prefix(signature.length), signature);
    }

    function quote(bytes memory tdReport) internal pure returns (bytes memory) {
        return
            quote(signedPart(4, tdReport), qeReport(AUTH_DATA), AUTH_DATA, chainOf(PCK_KEY, "ppid"));
    }

    /// Without the certificate chain, as `TdxQuote.parse` allows.
    function cut(bytes memory whole) internal pure returns (bytes memory) {
        uint256 offset = whole[0] == 0x04 ? 636 : 54 + (whole[48] == 0x03 ? 648 : 584) + 4;
        uint256 authBytes = uint8(whole[offset + 582]) + 256 * uint256(uint8(whole[offset + 583]));
        return slice(whole, 0, offset + 584 + authBytes);
    }

    /// What stands where a PCK certificate would: the two things that are read of it.
    function chainOf(uint256 key, bytes16 ppid) internal pure returns (bytes memory) {
        return chainOf(key, ppid, hex"cafe");
    }

    function chainOf(uint256 key, bytes16 ppid, bytes memory rest)
        internal
        pure
        returns (bytes memory)
    {
        return pem(
            bytes.concat(
                hex"308204ab00",
                hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004",
                point(key),
                hex"0102",
                hex"060a2a864886f84d010d01010410",
                ppid,
                rest
            )
        );
    }

    function pem(bytes memory der) internal pure returns (bytes memory) {
        bytes memory text = bytes(Base64.encode(der));
        uint256 half = text.length / 2;
        return bytes.concat(
            "-----BEGIN CERTIFICATE-----\n",
            slice(text, 0, half),
            "\r\n",
            slice(text, half, text.length),
            "\n-----END CERTIFICATE-----\n"
        );
    }

    function point(uint256 key) internal pure returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return abi.encode(x, y);
    }

    function sign(uint256 key, bytes memory part) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(key, sha256(part));
        return bytes.concat(r, s);
    }

    /// The other of the two signatures that a message has: (r, n - s).
    function flipS(bytes memory whole, uint256 offset) internal pure {
        uint256 s;
        assembly ("memory-safe") {
            s := mload(add(whole, add(64, offset)))
        }
        put(whole, offset + 32, abi.encode(P256_N - s));
    }

    function put(bytes memory whole, uint256 offset, bytes memory part) internal pure {
        require(offset + part.length <= whole.length, "put");
        for (uint256 i = 0; i < part.length; ++i) {
            whole[offset + i] = part[i];
        }
    }

    function slice(bytes memory whole, uint256 begin, uint256 end)
        internal
        pure
        returns (bytes memory out)
    {
        require(begin <= end && end <= whole.length, "slice");
        out = new bytes(end - begin);
        assembly ("memory-safe") {
            mcopy(add(out, 32), add(whole, add(32, begin)), sub(end, begin))
        }
    }

    function filled(uint8 with, uint256 count) internal pure returns (bytes memory out) {
        out = new bytes(count);
        for (uint256 i = 0; i < count; ++i) {
            out[i] = bytes1(with);
        }
    }

    function run(bytes memory part) internal pure returns (bytes memory) {
        return bytes.concat(LittleEndian.prefix(part.length), part);
    }

    function le64(uint256 value) internal pure returns (bytes8) {
        return bytes8(
            bytes.concat(LittleEndian.prefix(value & 0xffffffff), LittleEndian.prefix(value >> 32))
        );
    }
}
