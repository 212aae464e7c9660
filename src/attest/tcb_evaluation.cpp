// SPDX-License-Identifier: Apache-2.0
#include "attest/tcb_evaluation.hpp"

#include <algorithm>
#include <array>

namespace teetee::attest {
namespace {

// Places in TEE_TCB_SVN.
constexpr size_t module_isvsvn_at = 0;
constexpr size_t module_version_at = 1;
constexpr size_t seam_loader_at = 2;

Error rejected(ErrorCode code, std::string_view component, std::string_view have,
               std::string_view need) {
    return fail(code, std::string(component) + ": have " + std::string(have) + ", need " +
                          std::string(need));
}

Result<void> verify_documents_fit(TeeType tee, const PckPlatform& platform, const TcbInfo& info,
                                  const QeIdentity& identity) {
    constexpr auto code = ErrorCode::collateral_mismatch;
    if (info.tee != tee) {
        return rejected(code, "TCB info", to_string(info.tee), to_string(tee));
    }
    if (identity.tee != tee) {
        return rejected(code, "QE identity", to_string(identity.tee), to_string(tee));
    }
    if (info.fmspc != platform.fmspc) {
        return rejected(code, "TCB info.fmspc", to_hex(info.fmspc),
                        to_hex(platform.fmspc) + " of the PCK certificate");
    }
    if (info.pceid != platform.pceid) {
        return rejected(code, "TCB info.pceId", to_hex(info.pceid),
                        to_hex(platform.pceid) + " of the PCK certificate");
    }
    return {};
}

Result<void> verify_quoting_enclave(const SgxReport& report, const QeIdentity& identity) {
    constexpr auto code = ErrorCode::qe_identity_mismatch;
    const uint32_t miscselect = report.miscselect & identity.miscselect_mask;
    if (miscselect != identity.miscselect) {
        return rejected(code, "QE miscselect under the mask", std::to_string(miscselect),
                        std::to_string(identity.miscselect));
    }
    ByteArray<16> attributes = report.attributes;
    for (size_t i = 0; i < attributes.size(); ++i) attributes[i] &= identity.attributes_mask[i];
    if (attributes != identity.attributes) {
        return rejected(code, "QE attributes under the mask", to_hex(attributes),
                        to_hex(identity.attributes));
    }
    if (report.mrsigner != identity.mrsigner) {
        return rejected(code, "QE mrsigner", to_hex(report.mrsigner), to_hex(identity.mrsigner));
    }
    if (report.isvprodid != identity.isvprodid) {
        return rejected(code, "QE isvprodid", std::to_string(report.isvprodid),
                        std::to_string(identity.isvprodid));
    }
    return {};
}

// The highest level that an isvsvn reaches. Levels are sorted.
Result<const IsvLevel*> find_level(const std::vector<IsvLevel>& levels, uint16_t isvsvn,
                                   const std::string& component) {
    const auto level = std::find_if(levels.begin(), levels.end(),
                                    [&](const IsvLevel& one) { return isvsvn >= one.isvsvn; });
    if (level == levels.end()) {
        return rejected(ErrorCode::tcb_level_missing, component + " isvsvn", std::to_string(isvsvn),
                        "at least " + std::to_string(levels.back().isvsvn));
    }
    return &*level;
}

std::string module_id(uint8_t version) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return std::string("TDX_") + digits[version >> 4] + digits[version & 0xf];
}

Result<const TdxModuleIdentity*> find_module(const TcbInfo& info, uint8_t version) {
    const std::string id = module_id(version);
    for (const TdxModuleIdentity& identity : info.module_identities) {
        if (identity.id == id) return &identity;
    }
    return rejected(
        ErrorCode::tdx_module_mismatch, "TDX module", id,
        "one of the " + std::to_string(info.module_identities.size()) + " in the TCB info");
}

struct ModuleSigner {
    const Measurement& mrsigner;
    uint64_t attributes;
};

Result<void> verify_module(const TdReport& report, const ModuleSigner& need) {
    constexpr auto code = ErrorCode::tdx_module_mismatch;
    if (report.mrsignerseam != need.mrsigner) {
        return rejected(code, "mrsignerseam", to_hex(report.mrsignerseam), to_hex(need.mrsigner));
    }
    if (report.seamattributes != 0 || need.attributes != 0) {
        return rejected(code, "seamattributes", std::to_string(report.seamattributes),
                        "0, and 0 in the TCB info");
    }
    return {};
}

bool reaches(ByteView have, ByteView need) {
    return std::equal(have.begin(), have.end(), need.begin(), std::greater_equal<>());
}

bool reaches_sgx_part(const PckPlatform& platform, const TcbLevel& level) {
    return reaches(platform.tcb_components, level.sgx_components) &&
           platform.pcesvn >= level.pcesvn;
}

// From module version 1 on, the module's own levels stand for the first two components.
size_t first_tdx_component(const TdReport& report) {
    return report.tee_tcb_svn[module_version_at] > 0 ? 2 : 0;
}

bool reaches_tdx_part(const TdReport& report, const TcbLevel& level) {
    const size_t first = first_tdx_component(report);
    return reaches(ByteView(report.tee_tcb_svn).subspan(first),
                   ByteView(level.tdx_components).subspan(first));
}

// The levels that a platform reaches: by its SGX part alone, and by both parts.
struct PlatformLevels {
    const TcbLevel* sgx = nullptr;
    const TcbLevel* both = nullptr;
};

PlatformLevels find_levels(const PckPlatform& platform, const TdReport* td, const TcbInfo& info) {
    PlatformLevels found;
    for (const TcbLevel& level : info.levels) {
        if (!reaches_sgx_part(platform, level)) continue;
        if (found.sgx == nullptr) found.sgx = &level;
        if (td == nullptr || reaches_tdx_part(*td, level)) {
            found.both = &level;
            break;
        }
    }
    return found;
}

// What lacks for a level, each SVN by name.
std::vector<SvnShortfall> shortfalls_to(const TcbLevel& level, const PckPlatform& platform,
                                        const TdReport* td) {
    std::vector<SvnShortfall> out;
    const auto compare = [&](const std::string& name, uint16_t have, uint16_t need) {
        if (have < need) out.push_back({name, have, need});
    };
    for (size_t i = 0; i < 16; ++i) {
        compare("sgxtcbcomponents[" + std::to_string(i) + "]", platform.tcb_components[i],
                level.sgx_components[i]);
    }
    compare("pcesvn", platform.pcesvn, level.pcesvn);
    for (size_t i = td == nullptr ? 16 : first_tdx_component(*td); i < 16; ++i) {
        compare("tdxtcbcomponents[" + std::to_string(i) + "]", td->tee_tcb_svn[i],
                level.tdx_components[i]);
    }
    return out;
}

// For the level with the fewest, of those with this status if one is asked for.
std::vector<SvnShortfall> fewest_shortfalls(const TcbInfo& info, const PckPlatform& platform,
                                            const TdReport* td, std::optional<TcbStatus> status) {
    std::optional<std::vector<SvnShortfall>> fewest;
    for (const TcbLevel& level : info.levels) {
        if (status && level.judgement.status != *status) continue;
        auto one = shortfalls_to(level, platform, td);
        if (!fewest || one.size() < fewest->size()) fewest = std::move(one);
    }
    return std::move(fewest).value_or(std::vector<SvnShortfall>{});
}

// Collects what the levels of all components say.
class Evaluation {
  public:
    template <class Level>
    void add(const Level& reached, const std::vector<Level>& levels) {
        const LevelJudgement& judgement = reached.judgement;
        out.advisories.insert(out.advisories.end(), judgement.advisories.begin(),
                              judgement.advisories.end());
        if (!is_out_of_date(judgement.status)) return;
        std::optional<UnixSeconds> since;
        for (const Level& level : levels) {
            const TcbStatus status = level.judgement.status;
            if (is_out_of_date(status) || status == TcbStatus::revoked) continue;
            since = since ? std::min(*since, level.judgement.date) : level.judgement.date;
        }
        unknown_since_ = unknown_since_ || !since;
        if (since && (!since_ || *since < *since_)) since_ = since;
    }
    void lacks(const std::string& component, uint16_t have, const std::vector<IsvLevel>& levels) {
        // The lowest level that is up to date: levels are sorted, so the last one.
        const auto need = std::find_if(levels.rbegin(), levels.rend(), [](const IsvLevel& one) {
            return one.judgement.status == TcbStatus::up_to_date;
        });
        if (need != levels.rend() && have < need->isvsvn) {
            out.shortfalls.push_back({component + " isvsvn", have, need->isvsvn});
        }
    }
    TcbEvaluation finish() {
        std::sort(out.advisories.begin(), out.advisories.end());
        out.advisories.erase(std::unique(out.advisories.begin(), out.advisories.end()),
                             out.advisories.end());
        if (!unknown_since_) out.out_of_date_since = since_;
        return std::move(out);
    }

    TcbEvaluation out;

  private:
    std::optional<UnixSeconds> since_;
    bool unknown_since_ = false;
};

// Whether the module that runs now, beneath a TD that started under an older one, is the latest.
Result<bool> runs_latest_module(const TdReport& report, const TcbInfo& info) {
    const ByteArray<16>& now = report.since_15->tee_tcb_svn_2;
    const TcbLevel& latest = info.levels.front();
    uint16_t module_need = latest.tdx_components[module_isvsvn_at];
    if (now[module_version_at] > 0) {
        TT_TRY(const auto* identity, find_module(info, now[module_version_at]));
        module_need = identity->levels.front().isvsvn;
    }
    return now[module_isvsvn_at] >= module_need &&
           now[seam_loader_at] >= latest.tdx_components[seam_loader_at];
}

// An outdated module is the only fault, and it has been updated beneath the running TD.
Result<TcbStatus> after_relaunch_check(const TdReport& report, const TcbInfo& info,
                                       const TcbEvaluation& so_far, TcbStatus sgx_status) {
    const bool module_is_the_fault = report.since_15 && is_out_of_date(so_far.status) &&
                                     so_far.module_status == TcbStatus::out_of_date &&
                                     !is_out_of_date(sgx_status) &&
                                     so_far.qe_status == TcbStatus::up_to_date;
    if (!module_is_the_fault) return so_far.status;
    TT_TRY(const bool latest, runs_latest_module(report, info));
    if (!latest) return so_far.status;
    return needs_configuration(sgx_status) || needs_configuration(so_far.status)
               ? TcbStatus::td_relaunch_advised_configuration_needed
               : TcbStatus::td_relaunch_advised;
}

// The module's signer, and from version 1 on its own levels.
Result<void> evaluate_module(const TdReport& report, const TcbInfo& info, Evaluation& evaluation) {
    const uint8_t version = report.tee_tcb_svn[module_version_at];
    if (version == 0) {
        return verify_module(report, {info.module_mrsigner, info.module_attributes});
    }
    TT_TRY(const auto* identity, find_module(info, version));
    TT_CHECK(verify_module(report, {identity->mrsigner, identity->attributes}));
    const std::string component = "TDX module " + identity->id;
    const uint8_t isvsvn = report.tee_tcb_svn[module_isvsvn_at];
    TT_TRY(const auto* level, find_level(identity->levels, isvsvn, component));
    evaluation.add(*level, identity->levels);
    evaluation.lacks(component, isvsvn, identity->levels);
    evaluation.out.module_status = level->judgement.status;
    return {};
}

}  // namespace

std::string describe(const std::vector<SvnShortfall>& shortfalls) {
    std::string text;
    for (const SvnShortfall& one : shortfalls) {
        text += (text.empty() ? "" : "; ") + one.component + " have " + std::to_string(one.have) +
                ", need " + std::to_string(one.need);
    }
    return text;
}

Result<TcbEvaluation> evaluate_tcb(const TcbSubject& subject, const TcbInfo& info,
                                   const QeIdentity& identity) {
    const TdReport* td = std::get_if<TdReport>(&subject.report);
    TT_CHECK(verify_documents_fit(td == nullptr ? TeeType::sgx : TeeType::tdx, subject.platform,
                                  info, identity));
    TT_CHECK(verify_quoting_enclave(subject.qe_report, identity));
    Evaluation evaluation;
    TcbEvaluation& out = evaluation.out;
    out.evaluation_number = std::min(info.head.evaluation_number, identity.head.evaluation_number);

    const uint16_t qe_isvsvn = subject.qe_report.isvsvn;
    TT_TRY(const auto* qe_level, find_level(identity.levels, qe_isvsvn, "QE"));
    out.qe_status = qe_level->judgement.status;

    const PlatformLevels levels = find_levels(subject.platform, td, info);
    if (levels.both == nullptr) {
        return fail(ErrorCode::tcb_level_missing,
                    "platform: below every TCB level; for the nearest: " +
                        describe(fewest_shortfalls(info, subject.platform, td, std::nullopt)));
    }
    out.platform_status = levels.both->judgement.status;
    out.tcb_date = levels.both->judgement.date;
    evaluation.add(*levels.both, info.levels);
    if (out.platform_status != TcbStatus::up_to_date) {
        out.shortfalls = fewest_shortfalls(info, subject.platform, td, TcbStatus::up_to_date);
    }

    out.status = out.platform_status;
    if (td != nullptr) {
        TT_CHECK(evaluate_module(*td, info, evaluation));
        out.status = converge(out.status, out.module_status.value_or(TcbStatus::up_to_date));
        TT_TRY(out.status, after_relaunch_check(*td, info, out, levels.sgx->judgement.status));
    }
    out.status = converge(out.status, out.qe_status);
    evaluation.add(*qe_level, identity.levels);
    evaluation.lacks("QE", qe_isvsvn, identity.levels);
    return evaluation.finish();
}

}  // namespace teetee::attest
