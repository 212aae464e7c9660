// SPDX-License-Identifier: Apache-2.0
#include "cli/attest_report.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "attest/time_text.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

constexpr UnixSeconds day_s = 24 * 3600;

// As the bytes stand in the quote.
std::string bytes_hex(uint64_t value) {
    ByteWriter bytes;
    bytes.u64(value);
    return to_hex(bytes.view());
}

json::object measurements_json(const attest::QuoteReport& report) {
    if (const auto* sgx = std::get_if<attest::SgxReport>(&report)) {
        return {{"mrenclave", to_hex(sgx->mrenclave)},   {"mrsigner", to_hex(sgx->mrsigner)},
                {"isvprodid", sgx->isvprodid},           {"isvsvn", sgx->isvsvn},
                {"attributes", to_hex(sgx->attributes)}, {"report_data", to_hex(sgx->report_data)}};
    }
    const auto& td = std::get<attest::TdReport>(report);
    json::object out = {{"mrtd", to_hex(td.mrtd)}};
    for (size_t i = 0; i < td.rtmr.size(); ++i) {
        out[fmt::format("rtmr{}", i)] = to_hex(td.rtmr[i]);
    }
    out["mrconfigid"] = to_hex(td.mrconfigid);
    out["mrowner"] = to_hex(td.mrowner);
    out["mrownerconfig"] = to_hex(td.mrownerconfig);
    out["mrseam"] = to_hex(td.mrseam);
    out["tee_tcb_svn"] = to_hex(td.tee_tcb_svn);
    out["mrsignerseam"] = to_hex(td.mrsignerseam);
    out["seamattributes"] = bytes_hex(td.seamattributes);
    out["tdattributes"] = bytes_hex(td.tdattributes);
    out["xfam"] = bytes_hex(td.xfam);
    if (td.since_15) out["mrservicetd"] = to_hex(td.since_15->mrservicetd);
    out["report_data"] = to_hex(td.report_data);
    return out;
}

json::value status_json(const std::optional<attest::TcbStatus>& status) {
    return status ? json::value(attest::to_string(*status)) : json::value();
}

// What the collateral says; forecasts have the same members.
void add_tcb(json::object& out, const std::optional<attest::VerifiedQuote>& quote) {
    const attest::TcbEvaluation* tcb = quote && quote->tcb ? &*quote->tcb : nullptr;
    out["status"] = tcb == nullptr ? json::value() : json::value(attest::to_string(tcb->status));
    json::array advisories;
    json::array shortfalls;
    if (tcb != nullptr) {
        advisories = json::array(tcb->advisories.begin(), tcb->advisories.end());
        for (const attest::SvnShortfall& one : tcb->shortfalls) {
            shortfalls.push_back(
                {{"component", one.component}, {"have", one.have}, {"need", one.need}});
        }
        out["platform_status"] = status_json(tcb->platform_status);
        out["module_status"] = status_json(tcb->module_status);
        out["qe_status"] = status_json(tcb->qe_status);
        out["tcb_date"] = attest::format_utc(tcb->tcb_date);
        out["tcb_evaluation_number"] = tcb->evaluation_number;
    }
    out["advisories"] = std::move(advisories);
    out["shortfalls"] = std::move(shortfalls);
}

json::object judgement_json(const Judgement& judgement) {
    const attest::Verdict& verdict = judgement.verdict;
    json::object out = {{"verdict", verdict.accepted() ? "accept" : "reject"}};
    add_tcb(out, verdict.quote);
    if (judgement.collateral_expires) {
        out["collateral_expires"] = attest::format_utc(*judgement.collateral_expires);
    }
    out["error"] = verdict.accepted() ? json::value()
                                      : json::value{{"code", to_string(verdict.error->code)},
                                                    {"detail", verdict.error->detail}};
    return out;
}

std::string status_text(const attest::Verdict& verdict) {
    if (!verdict.quote || !verdict.quote->tcb) return "TCB status unknown";
    const attest::TcbEvaluation& tcb = *verdict.quote->tcb;
    std::string text = fmt::format("TCB status {}", attest::to_string(tcb.status));
    for (size_t i = 0; i < tcb.advisories.size(); ++i) {
        text += (i == 0 ? "; advisories " : ", ") + tcb.advisories[i];
    }
    if (!tcb.shortfalls.empty()) text += "; to be up to date: " + describe(tcb.shortfalls);
    return text;
}

std::string verdict_text(const Judgement& judgement) {
    const attest::Verdict& verdict = judgement.verdict;
    const bool simulated = verdict.quote && verdict.quote->simulated;
    return fmt::format("{}{}: {}\n{}", verdict.accepted() ? "ACCEPTED" : "REJECTED",
                       simulated ? ", SIMULATED (not Intel's root)" : "", status_text(verdict),
                       verdict.accepted() ? "" : "because of " + verdict.error->message() + "\n");
}

std::string expiry_text(const AttestReport& report) {
    const std::optional<UnixSeconds>& expires = report.judgement.collateral_expires;
    if (!expires) return {};
    return fmt::format("The collateral runs out in {} days, {}.\n", (*expires - report.now) / day_s,
                       attest::format_utc(*expires));
}

std::string measurements_text(const attest::Verdict& verdict) {
    if (!verdict.quote) return {};
    std::string text = "\nWhat the quote says:\n";
    for (const auto& member : measurements_json(verdict.quote->report)) {
        const std::string key(member.key());
        const json::string* value = member.value().if_string();
        text +=
            fmt::format("  {:<15}{}\n", key,
                        value != nullptr ? std::string(*value) : json::serialize(member.value()));
    }
    return text;
}

std::string forecast_text(const AttestReport& report) {
    if (!report.forecast) return {};
    return "\nUnder the early TCB evaluation: " + verdict_text(*report.forecast);
}

}  // namespace

json::object report_json(const AttestReport& report) {
    const Judgement& judgement = report.judgement;
    json::object out = judgement_json(judgement);
    json::object measurements;
    if (const auto& quote = judgement.verdict.quote) {
        const attest::PckPlatform& platform = quote->pck.platform;
        measurements = measurements_json(quote->report);
        out["tee"] = attest::to_string(quote->tee());
        out["simulated"] = quote->simulated;
        out["fmspc"] = to_hex(platform.fmspc);
        out["pceid"] = to_hex(platform.pceid);
        out["ppid"] = to_hex(platform.ppid);
    }
    out["measurements"] = std::move(measurements);
    if (report.forecast) out["forecast"] = judgement_json(*report.forecast);
    return out;
}

std::string report_text(const AttestReport& report) {
    return verdict_text(report.judgement) + expiry_text(report) + forecast_text(report);
}

std::string explanation(const AttestReport& report) {
    std::string text = fmt::format("At {}:\n", attest::describe_time(report.now));
    for (const attest::Check& check : report.judgement.checks) {
        text += fmt::format("  ok    {}: {}\n", check.name, check.finding);
    }
    const attest::Verdict& verdict = report.judgement.verdict;
    if (!verdict.accepted()) text += fmt::format("  FAIL  {}\n", verdict.error->message());
    return text + "\n" + report_text(report) + measurements_text(verdict);
}

}  // namespace teetee::cli
