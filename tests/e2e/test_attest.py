# SPDX-License-Identifier: Apache-2.0
"""`teetee attest`: verdicts, exit codes and reports."""
import base64
import json
import sys

from harness import ROOT, shared

sys.path.insert(0, str(ROOT / "tools"))
import attestation_conformance  # noqa: E402


def verify(teetee, *flags):
    """(exit code, report) of a verdict."""
    code, out, err = teetee.run("attest", "verify", *flags, "--json")
    assert code in (0, 1), (code, err)
    report = json.loads(out)
    assert (report["verdict"] == "accept") == (code == 0) == (report["error"] is None), report
    return code, report


def test_a_simulated_quote_passes_only_where_a_policy_says_so(teetee):
    network = teetee.network(1)
    network.start_all()
    status, answer = network.http.get("/attestation")
    assert status == 200, answer
    quote = teetee.folder / "quote.bin"
    quote.write_bytes(base64.b64decode(answer["nodes"][0]["quote"]))
    policy = network.folder / "policy.json"
    collateral = ["--collateral", network.folder / "collateral/dev-tee.json"]
    code, report = verify(teetee, "--quote", quote, "--policy", policy, *collateral)
    assert code == 0 and report["simulated"] and report["status"] == "UpToDate", report

    written = json.loads(policy.read_text())
    root = teetee.folder / "root.pem"
    root.write_text(written["roots"][0])

    def refusal(flags=collateral, **changes):
        path = teetee.folder / "changed.json"
        path.write_text(json.dumps(written | changes))
        code, report = verify(teetee, "--quote", quote, "--policy", path, *flags)
        return report["error"]["code"] if code == 1 else None

    assert refusal(allow_simulated=False) == "simulated_rejected"
    assert refusal([]) == "collateral_missing"
    assert refusal([], require_collateral=False) is None
    assert refusal(roots=["intel"]) == "root_untrusted"
    assert refusal(measurements=[{"mrtd": "00" * 48}]) == "measurement_rejected"
    assert verify(teetee, "--quote", quote)[1]["error"]["code"] == "root_untrusted"
    code, report = verify(teetee, "--quote", quote, "--root", root)
    assert report["error"]["code"] == "collateral_missing" and len(report["measurements"]["mrtd"]) == 96, report
    code, text, _ = teetee.run("attest", "explain", "--quote", quote, "--policy", policy, *collateral)
    assert code == 0 and "SIMULATED" in text and "not revoked" in text, text
    policy.write_text(json.dumps(written | {"require_collateral": False}))
    code, text, _ = teetee.run("attest", "explain", "--quote", quote, "--policy", policy)
    assert code == 0 and "SIMULATED" in text and "NOT CHECKED" in text, text


def test_bad_files_and_bad_usage(teetee):
    def file(name, content):
        path = teetee.folder / name
        path.write_bytes(content)
        return path

    garbage = file("garbage", b"\x04\x00garbage")
    assert verify(teetee, "--quote", garbage)[1]["error"]["code"] == "quote_malformed"
    assert verify(teetee, "--quote", file("empty", b""))[1]["error"]["code"] == "quote_malformed"
    code, report = verify(teetee, "--quote", garbage, "--collateral", file("collateral", b"{}"))
    assert report["error"]["code"] == "collateral_malformed" and report["status"] is None, report
    for flags, code in ((["--quote", teetee.folder / "absent"], 3), ([], 2),
                        (["--quote", garbage, "--policy", file("policy", b"{}")], 2),
                        (["--quote", garbage, "--root", garbage], 2), (["--quote", garbage, "--time", "soon"], 2),
                        (["--quote", garbage, "--time", "-1"], 2)):
        got, _, err = teetee.run("attest", "verify", *flags, "--json")
        assert got == code and err, (flags, got, err)


def test_agrees_with_every_public_case(teetee):
    total, equal = attestation_conformance.check_all(teetee.program.parent, shared("data/attestation"))
    assert total > 700 and equal == total, (total, equal)


def test_a_report_names_what_lacks_and_what_will(teetee):
    data = shared("data/attestation")
    sets = json.loads((data / "manifest.json").read_text())["sets"]

    def flags(entry):
        return ["--quote", data / entry["quote"], "--collateral", data / entry["collateral"], "--time", entry["time"]]

    def first(status):
        return next(one for one in sets if one["quote"].startswith("quotes/tdx") and one["expected"].get("status") == status)

    good, outdated = first("UpToDate"), first("OutOfDate")
    code, report = verify(teetee, *flags(good), "--early-collateral", data / good["collateral"])
    assert code == 0 and report["status"] == "UpToDate" and not report["simulated"] and not report["shortfalls"], report
    assert report["forecast"]["verdict"] == "accept" and report["forecast"]["status"] == "UpToDate", report
    code, report = verify(teetee, *flags(good), "--early-collateral", data / "manifest.json")
    assert code == 0 and report["forecast"]["error"]["code"] == "collateral_malformed", report

    code, report = verify(teetee, *flags(outdated))
    assert code == 0 and report["status"] == "OutOfDate" and report["shortfalls"], report
    assert all(one["have"] < one["need"] for one in report["shortfalls"]), report
    # The status stands also where a policy refuses it; the TD itself is what a policy must name.
    policy = teetee.folder / "policy.json"
    written = {"roots": ["intel"], "measurements": [{"mrtd": report["measurements"]["mrtd"]}]}
    policy.write_text(json.dumps(written))
    code, report = verify(teetee, *flags(outdated), "--policy", policy)
    assert code == 1 and report["status"] == "OutOfDate" and report["error"]["code"] == "tcb_status_rejected", report
    code, text, _ = teetee.run("attest", "explain", *flags(outdated), "--policy", policy)
    assert code == 1 and "FAIL" in text and "have" in text and "need" in text, text
    policy.write_text(json.dumps(written | {"accepted_statuses": ["OutOfDate"]}))
    assert verify(teetee, *flags(outdated), "--policy", policy)[0] == 0
