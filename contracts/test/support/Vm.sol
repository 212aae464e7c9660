// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev What the tests use of forge's cheat codes.
interface Vm {
    struct DirEntry {
        string errorMessage;
        string path;
        uint64 depth;
        bool isDir;
        bool isSymlink;
    }

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function publicKeyP256(uint256 key) external pure returns (uint256 x, uint256 y);
    function signP256(uint256 key, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function warp(uint256 time) external;
    /// @dev Unlike block.timestamp, never read once for a whole function.
    function getBlockTimestamp() external view returns (uint256);
    function chainId(uint256 id) external;
    function deal(address account, uint256 weiHeld) external;
    function etch(address account, bytes calldata code) external;
    function prank(address sender) external;
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectEmit() external;
    function cool(address account) external;
    function assume(bool condition) external pure;
    function envOr(string calldata name, string calldata otherwise)
        external
        view
        returns (string memory);
    function getCode(string calldata artifact) external view returns (bytes memory);
    function deployCode(string calldata artifact, bytes calldata arguments)
        external
        returns (address);
    function exists(string calldata path) external view returns (bool);
    function parseBytes(string calldata text) external pure returns (bytes memory);
    function readDir(string calldata path) external view returns (DirEntry[] memory);
    function readFile(string calldata path) external view returns (string memory);
    function readFileBinary(string calldata path) external view returns (bytes memory);
    function skip(bool condition, string calldata reason) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @dev A contract's artifact of the folder that TEETEE_ARTIFACTS names; empty if it names none, and
///      the test is to deploy what was compiled with it.
function artifactOf(string memory name) view returns (string memory) {
    string memory folder = vm.envOr("TEETEE_ARTIFACTS", string(""));
    if (bytes(folder).length == 0) return "";
    return string.concat(folder, "/", name, ".sol/", name, ".json");
}

function eq(uint256 have, uint256 need) pure {
    require(have == need, NotEqual(have, need));
}

function eq(address have, address need) pure {
    require(have == need, NotEqual(uint160(have), uint160(need)));
}

function eq(bytes32 have, bytes32 need) pure {
    require(have == need, NotEqual(uint256(have), uint256(need)));
}

error NotEqual(uint256 have, uint256 need);
