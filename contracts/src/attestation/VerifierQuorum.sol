// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAttestationVerifier, NodeClaim} from "../IAttestationVerifier.sol";
import {IPlatformVerdicts, PlatformVerdict} from "./IPlatformVerdicts.sol";
import {PckLeaf} from "./PckLeaf.sol";
import {QuoteEvidence} from "./QuoteEvidence.sol";
import {Statement} from "./Statement.sol";
import {TcbStatus} from "./TcbStatus.sol";
import {TdxQuote} from "./TdxQuote.sol";

/// @title Attested verifiers, of whom several must agree on a platform
/// @notice A verifier is a TEE that runs Intel's whole verification (src/attest) over collateral and
/// signs what it found. Its key is admitted by evidence that the key lives in a TEE which runs one of
/// the measurements fixed at deployment.
///
/// Who adds keys:
/// - At deployment, and never again, the deployer may name keys without evidence. They expire within
///   `GENESIS_LIFETIME_MAX` and cannot be renewed. Until they have expired, whoever holds `threshold`
///   of them can vouch for platforms that do not exist, and by that for verifiers: check the event
///   `GenesisKey` and whom you would trust with that, or use a deployment that names none.
/// - Afterwards anybody, by evidence alone: `admit`, where live keys vouch for the platform of the
///   new one, or `admitByRoot`, where another verifier named at deployment (Automata's, which checks
///   Intel's signatures on chain) needs nobody's word. With such a root no genesis keys are needed.
/// - Nobody can remove a key; it expires with its statement, after a week at most. There is no owner.
///   If fewer than `threshold` are alive, only a root can bring the quorum back.
///
/// A platform (PPID) has one live key at a time, so that one machine cannot be a quorum. Other
/// verifier software means another measurement, and with it another deployment.
contract VerifierQuorum is IPlatformVerdicts, EIP712 {
    struct Config {
        /// How many keys must sign a verdict.
        uint256 threshold;
        /// Which platforms verifiers may run on; see `TcbStatus`.
        uint256 acceptedStatuses;
        uint32 evaluationNumberMin;
        /// What the statements of verifiers name as their policy.
        bytes32 policyHash;
        /// The verifier software: see `TdReport.measurement`. Ascending.
        bytes32[] measurements;
        /// Ascending; may be empty where there is a root.
        address[] genesisKeys;
        uint64 genesisExpiry;
        /// Takes raw quotes as the proof in its evidence; may be zero.
        IAttestationVerifier root;
    }

    /// @notice How long a verdict may count: no longer than a statement.
    uint256 public constant VERDICT_LIFETIME_MAX = 7 days;
    uint256 public constant GENESIS_LIFETIME_MAX = 30 days;
    uint256 public constant THRESHOLD_MAX = 16;

    bytes32 private constant VERDICT_TYPEHASH = keccak256(
        "PlatformVerdict(bytes32 pckX,bytes32 pckY,bytes32 platform,bytes6 fmspc,bytes32 qeIdentity,"
        "bytes16 teeTcbSvn,bytes16 teeTcbSvn2,uint8 status,uint32 evaluationNumber,uint64 issuedAt,"
        "uint64 validUntil)"
    );
    uint256 private constant SIGNATURE_BYTES = 65;

    uint256 public immutable threshold;
    uint256 public immutable acceptedStatuses;
    uint32 public immutable evaluationNumberMin;
    bytes32 public immutable policyHash;
    IAttestationVerifier public immutable root;

    /// @notice Which measurements are verifier software.
    mapping(bytes32 measurement => bool) public isVerifier;
    /// @notice Until when a key's signature counts; zero for keys that are none of the quorum's.
    mapping(address key => uint64) public expiryOf;
    /// @notice The key that was last admitted for a platform.
    mapping(bytes32 platform => address) public keyOf;
    /// @notice Verdicts on a PCK key (keccak256 of x and y) issued before this time do not count.
    mapping(bytes32 pck => uint64) public supersededBefore;

    event GenesisKey(address indexed key, uint64 expiry);
    event Admitted(
        address indexed key,
        bytes32 indexed platform,
        bytes32 measurement,
        bytes32 evidenceHash,
        uint64 expiry
    );
    event Replaced(address indexed key, bytes32 indexed platform, address by);
    event Superseded(bytes32 indexed pck, uint64 before, uint8 status);

    error ThresholdOutOfRange(uint256 have, uint256 most);
    error TooFewKeys(uint256 have, uint256 need);
    error NotAscending(uint256 position);
    error NoMeasurements();
    error GenesisExpiry(uint256 have, uint256 earliest, uint256 latest);
    error NoRoot();
    error NotVerifierSoftware(bytes32 measurement);
    error NotVerifierStatement(bytes32 field, bytes32 have);
    error SignatureBytes(uint256 have, uint256 need);
    error SignersNotAscending(address signer, address previous);
    error NotLive(address signer, uint256 expiry, uint256 time);
    error VerdictNotYetValid(uint256 issuedAt, uint256 time);
    error VerdictExpired(uint256 validUntil, uint256 time);
    error VerdictLifetime(uint256 issuedAt, uint256 validUntil, uint256 most);
    error VerdictSuperseded(uint256 issuedAt, uint256 before);
    error AlreadySuperseded(uint256 have, uint256 need);
    error AdmittedLonger(uint256 have, uint256 need);

    constructor(Config memory config) EIP712("TeeTee VerifierQuorum", "1") {
        if (config.threshold == 0 || config.threshold > THRESHOLD_MAX) {
            revert ThresholdOutOfRange(config.threshold, THRESHOLD_MAX);
        }
        TcbStatus.ensureSet(config.acceptedStatuses);
        threshold = config.threshold;
        acceptedStatuses = config.acceptedStatuses;
        evaluationNumberMin = config.evaluationNumberMin;
        policyHash = config.policyHash;
        root = config.root;
        if (config.measurements.length == 0) revert NoMeasurements();
        for (uint256 i = 0; i < config.measurements.length; ++i) {
            if (i > 0 && config.measurements[i] <= config.measurements[i - 1]) {
                revert NotAscending(i);
            }
            isVerifier[config.measurements[i]] = true;
        }
        _addGenesisKeys(config);
    }

    /// @notice Admits a verifier's key, on a platform that the quorum vouches for; or prolongs it.
    /// @param statement As of a node, but: the contract is this one, pool 0, model and shard root
    /// zero, the policy hash this contract's; the receipt key is what is admitted.
    /// @param proof See `QuoteEvidence`.
    function admit(bytes calldata statement, bytes calldata proof) external {
        NodeClaim memory claim = _verifierClaim(statement);
        QuoteEvidence.Terms memory terms = QuoteEvidence.Terms({
            registry: address(this),
            verdicts: this,
            acceptedStatuses: acceptedStatuses,
            evaluationNumberMin: evaluationNumberMin
        });
        _admit(claim.receiptKey, QuoteEvidence.check(statement, proof, claim, terms));
    }

    /// @notice The same by the root's word. Value is the root's fee; what is too much comes back.
    /// @param quote A whole quote, with its PCK certificate chain: the platform is read from there,
    /// after the root has verified it.
    function admitByRoot(bytes calldata statement, bytes calldata quote) external payable {
        if (address(root) == address(0)) revert NoRoot();
        NodeClaim memory claim = _verifierClaim(statement);
        QuoteEvidence.Finding memory found;
        (found.measurement, found.evidenceHash, found.expiry) =
            root.verify{value: msg.value}(claim, abi.encode(statement, quote));
        TdxQuote.Layout memory parts = TdxQuote.parse(quote);
        bytes memory leaf = PckLeaf.decode(quote[parts.chain:parts.chain + parts.chainBytes]);
        found.platform = keccak256(bytes.concat(PckLeaf.ppid(leaf)));
        _admit(claim.receiptKey, found);
    }

    /// @notice Makes earlier verdicts on a PCK key worthless: what was up to date may be revoked
    /// since. Anybody may, with a later verdict, whatever that says.
    function supersede(PlatformVerdict calldata verdict, bytes calldata signatures) external {
        ensureVouched(verdict, signatures);
        bytes32 pck = _pck(verdict);
        if (verdict.issuedAt == supersededBefore[pck]) {
            revert AlreadySuperseded(verdict.issuedAt, uint256(verdict.issuedAt) + 1);
        }
        supersededBefore[pck] = verdict.issuedAt;
        emit Superseded(pck, verdict.issuedAt, verdict.status);
    }

    /// @inheritdoc IPlatformVerdicts
    /// @dev Exactly `threshold` signatures: more would prove nothing more.
    function ensureVouched(PlatformVerdict calldata verdict, bytes calldata signatures)
        public
        view
    {
        _checkTimes(verdict);
        uint256 need = threshold * SIGNATURE_BYTES;
        if (signatures.length != need) revert SignatureBytes(signatures.length, need);
        bytes32 digest = verdictDigest(verdict);
        address previous = address(0);
        for (uint256 offset = 0; offset < need; offset += SIGNATURE_BYTES) {
            address signer =
                ECDSA.recoverCalldata(digest, signatures[offset:offset + SIGNATURE_BYTES]);
            if (signer <= previous) revert SignersNotAscending(signer, previous);
            if (expiryOf[signer] <= block.timestamp) {
                revert NotLive(signer, expiryOf[signer], block.timestamp);
            }
            previous = signer;
        }
    }

    /// @notice What verifiers sign.
    function verdictDigest(PlatformVerdict calldata verdict) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VERDICT_TYPEHASH, verdict)));
    }

    /// @notice Whether a key's signature counts now.
    function isLive(address key) external view returns (bool) {
        return expiryOf[key] > block.timestamp;
    }

    function _addGenesisKeys(Config memory config) private {
        uint256 count = config.genesisKeys.length;
        if (count == 0) {
            if (address(config.root) == address(0)) revert TooFewKeys(0, config.threshold);
            return;
        }
        if (count < config.threshold) revert TooFewKeys(count, config.threshold);
        uint256 latest = block.timestamp + GENESIS_LIFETIME_MAX;
        if (config.genesisExpiry <= block.timestamp || config.genesisExpiry > latest) {
            revert GenesisExpiry(config.genesisExpiry, block.timestamp + 1, latest);
        }
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address key = config.genesisKeys[i];
            if (key <= previous) revert NotAscending(i);
            expiryOf[key] = config.genesisExpiry;
            emit GenesisKey(key, config.genesisExpiry);
            previous = key;
        }
    }

    function _admit(address key, QuoteEvidence.Finding memory found) private {
        if (!isVerifier[found.measurement]) revert NotVerifierSoftware(found.measurement);
        // A key that counts for longer needs no admission; nor may old evidence shorten it.
        if (expiryOf[key] >= found.expiry) revert AdmittedLonger(expiryOf[key], found.expiry);
        address old = keyOf[found.platform];
        if (old != address(0) && old != key) {
            // Replayed evidence of an earlier key must not turn out its successor.
            if (expiryOf[old] >= found.expiry) revert AdmittedLonger(expiryOf[old], found.expiry);
            delete expiryOf[old];
            emit Replaced(old, found.platform, key);
        }
        keyOf[found.platform] = key;
        expiryOf[key] = found.expiry;
        emit Admitted(key, found.platform, found.measurement, found.evidenceHash, found.expiry);
    }

    /// What a verifier's statement has to say. Its layers mean nothing here, whatever they are.
    function _verifierClaim(bytes calldata statement)
        private
        view
        returns (NodeClaim memory claim)
    {
        Statement.Fields memory fields = Statement.decode(statement);
        if (fields.pool != 0) {
            revert NotVerifierStatement("pool", bytes32(uint256(fields.pool)));
        }
        if (fields.modelRoot != 0) revert NotVerifierStatement("model_root", fields.modelRoot);
        if (fields.shardRoot != 0) revert NotVerifierStatement("shard_root", fields.shardRoot);
        claim.host = msg.sender;
        claim.firstLayer = fields.layersBegin;
        claim.endLayer = fields.layersEnd;
        claim.policyHash = policyHash;
        claim.statementHash = sha256(statement);
        claim.receiptKey = fields.receiptKey;
    }

    function _checkTimes(PlatformVerdict calldata verdict) private view {
        if (verdict.issuedAt > block.timestamp + Statement.CLOCK_SKEW_MAX) {
            revert VerdictNotYetValid(verdict.issuedAt, block.timestamp);
        }
        if (verdict.validUntil <= block.timestamp) {
            revert VerdictExpired(verdict.validUntil, block.timestamp);
        }
        if (verdict.validUntil > verdict.issuedAt + VERDICT_LIFETIME_MAX) {
            revert VerdictLifetime(verdict.issuedAt, verdict.validUntil, VERDICT_LIFETIME_MAX);
        }
        uint64 before = supersededBefore[_pck(verdict)];
        if (verdict.issuedAt < before) revert VerdictSuperseded(verdict.issuedAt, before);
    }

    function _pck(PlatformVerdict calldata verdict) private pure returns (bytes32) {
        return keccak256(abi.encode(verdict.pckX, verdict.pckY));
    }
}
