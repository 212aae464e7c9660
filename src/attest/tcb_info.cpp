// SPDX-License-Identifier: Apache-2.0
#include "attest/tcb_info.hpp"

#include <algorithm>
#include <initializer_list>
#include <tuple>

#include "attest/json_object.hpp"
#include "attest/limits.hpp"
#include "base/strict_json.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

Result<json::value> parse_document(std::string_view text, std::string_view component) {
    auto value = parse_strict_json(
        text, {.bytes_max = collateral_document_bytes_max, .depth_max = collateral_json_depth_max});
    if (!value) {
        return fail(ErrorCode::collateral_malformed,
                    std::string(component) + ": " + value.error().detail);
    }
    return value;
}

// Integers that Intel writes as hex of their little-endian bytes.
template <class T>
T little_endian(const ByteArray<sizeof(T)>& bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) value |= uint64_t{bytes[i]} << (8 * i);
    return static_cast<T>(value);
}

Result<DocumentHead> parse_head(const JsonObject& document) {
    DocumentHead head;
    TT_TRY(const uint64_t version, document.number("version", UINT32_MAX));
    head.version = static_cast<uint32_t>(version);
    TT_TRY(head.validity.not_before, document.time("issueDate"));
    TT_TRY(head.validity.not_after, document.time("nextUpdate"));
    TT_TRY(const uint64_t number, document.number("tcbEvaluationDataNumber", UINT32_MAX));
    head.evaluation_number = static_cast<uint32_t>(number);
    return head;
}

// Advisories are shown to people and compared with policies: plain words of ASCII.
bool is_advisory_id(std::string_view text) {
    return !text.empty() && text.size() <= advisory_id_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Result<std::vector<std::string>> parse_advisories(const JsonObject& level) {
    std::vector<std::string> advisories;
    if (!level.has("advisoryIDs")) return advisories;
    const JsonPlace place = level.place().at("advisoryIDs");
    TT_TRY(const json::array* entries, level.array_or_empty("advisoryIDs", advisories_max));
    for (const json::value& entry : *entries) {
        TT_TRY(const std::string_view text, json_text(entry, place));
        if (!is_advisory_id(text)) return place.wrong(quote_foreign(text), "an advisory's name");
        advisories.emplace_back(text);
    }
    return advisories;
}

Result<LevelJudgement> parse_judgement(const JsonObject& level,
                                       std::initializer_list<TcbStatus> possible) {
    LevelJudgement judgement;
    TT_TRY(const std::string_view word, level.text("tcbStatus"));
    const auto status = parse_tcb_status(word);
    if (!status || std::find(possible.begin(), possible.end(), *status) == possible.end()) {
        return level.place().at("tcbStatus").wrong(quote_foreign(word), "a status of such levels");
    }
    judgement.status = *status;
    TT_TRY(judgement.date, level.time("tcbDate"));
    TT_TRY(judgement.advisories, parse_advisories(level));
    return judgement;
}

Result<ByteArray<16>> parse_components(const JsonObject& tcb, std::string_view key) {
    const JsonPlace place = tcb.place().at(key);
    ByteArray<16> components{};
    TT_TRY(const json::array* entries, tcb.array(key, components.size()));
    if (entries->size() != components.size()) {
        return place.wrong(std::to_string(entries->size()) + " entries", "16");
    }
    for (size_t i = 0; i < components.size(); ++i) {
        TT_TRY(const JsonObject entry, JsonObject::of((*entries)[i], place.at(i)));
        TT_TRY(const uint64_t svn, entry.number("svn", UINT8_MAX));
        components[i] = static_cast<uint8_t>(svn);
    }
    return components;
}

// Version 2 has a key for each: "sgxtcbcomp01svn" to "sgxtcbcomp16svn".
Result<ByteArray<16>> parse_components_of_version_2(const JsonObject& tcb) {
    ByteArray<16> components{};
    for (size_t i = 0; i < components.size(); ++i) {
        const std::string number = std::to_string(i + 1);
        const std::string key = "sgxtcbcomp" + std::string(2 - number.size(), '0') + number + "svn";
        TT_TRY(const uint64_t svn, tcb.number(key, UINT8_MAX));
        components[i] = static_cast<uint8_t>(svn);
    }
    return components;
}

Result<TcbLevel> parse_tcb_level(const JsonObject& entry, const TcbInfo& info) {
    TcbLevel level;
    TT_TRY(const JsonObject tcb, entry.object("tcb"));
    if (info.head.version == 2) {
        TT_TRY(level.sgx_components, parse_components_of_version_2(tcb));
    } else {
        TT_TRY(level.sgx_components, parse_components(tcb, "sgxtcbcomponents"));
    }
    if (info.tee == TeeType::tdx) {
        TT_TRY(level.tdx_components, parse_components(tcb, "tdxtcbcomponents"));
    }
    TT_TRY(const uint64_t pcesvn, tcb.number("pcesvn", UINT16_MAX));
    level.pcesvn = static_cast<uint16_t>(pcesvn);
    TT_TRY(level.judgement,
           parse_judgement(
               entry, {TcbStatus::up_to_date, TcbStatus::sw_hardening_needed,
                       TcbStatus::configuration_needed,
                       TcbStatus::configuration_and_sw_hardening_needed, TcbStatus::out_of_date,
                       TcbStatus::out_of_date_configuration_needed, TcbStatus::revoked}));
    return level;
}

auto rank_of(const TcbLevel& level) {
    return std::tie(level.sgx_components, level.pcesvn, level.tdx_components);
}

auto rank_of(const IsvLevel& level) {
    return std::tie(level.isvsvn);
}

// Descending. Of two levels alike, which one counts would depend on the reader.
template <class Level>
Result<void> sort_levels(std::vector<Level>& levels, const JsonPlace& place) {
    std::sort(levels.begin(), levels.end(),
              [](const Level& a, const Level& b) { return rank_of(a) > rank_of(b); });
    const auto twin =
        std::adjacent_find(levels.begin(), levels.end(),
                           [](const Level& a, const Level& b) { return rank_of(a) == rank_of(b); });
    if (twin != levels.end()) return place.wrong("a level twice", "each once");
    return {};
}

Result<void> parse_tcb_levels(const JsonObject& document, TcbInfo& info) {
    const JsonPlace place = document.place().at("tcbLevels");
    TT_TRY(const json::array* entries, document.array("tcbLevels", tcb_levels_max));
    for (size_t i = 0; i < entries->size(); ++i) {
        TT_TRY(const JsonObject entry, JsonObject::of((*entries)[i], place.at(i)));
        TT_TRY(auto level, parse_tcb_level(entry, info));
        info.levels.push_back(std::move(level));
    }
    return sort_levels(info.levels, place);
}

Result<std::vector<IsvLevel>> parse_isv_levels(const JsonObject& owner,
                                               std::initializer_list<TcbStatus> possible) {
    const JsonPlace place = owner.place().at("tcbLevels");
    std::vector<IsvLevel> levels;
    TT_TRY(const json::array* entries, owner.array("tcbLevels", tcb_levels_max));
    for (size_t i = 0; i < entries->size(); ++i) {
        TT_TRY(const JsonObject entry, JsonObject::of((*entries)[i], place.at(i)));
        TT_TRY(const JsonObject tcb, entry.object("tcb"));
        TT_TRY(const uint64_t isvsvn, tcb.number("isvsvn", UINT16_MAX));
        TT_TRY(auto judgement, parse_judgement(entry, possible));
        levels.push_back({static_cast<uint16_t>(isvsvn), std::move(judgement)});
    }
    TT_CHECK(sort_levels(levels, place));
    return levels;
}

Result<TdxModuleIdentity> parse_module_identity(const JsonObject& entry) {
    TdxModuleIdentity identity;
    TT_TRY(const std::string_view id, entry.text("id"));
    for (const char c : id.substr(0, tdx_module_id_bytes_max)) {
        identity.id.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
    TT_TRY(identity.mrsigner, entry.hex<48>("mrsigner"));
    TT_TRY(const auto attributes, entry.hex<8>("attributes"));
    identity.attributes = little_endian<uint64_t>(attributes);
    TT_CHECK(entry.hex<8>("attributesMask"));
    TT_TRY(identity.levels, parse_isv_levels(entry, {TcbStatus::up_to_date, TcbStatus::out_of_date,
                                                     TcbStatus::revoked}));
    return identity;
}

Result<void> parse_modules(const JsonObject& document, TcbInfo& info) {
    TT_TRY(const JsonObject module, document.object("tdxModule"));
    TT_TRY(info.module_mrsigner, module.hex<48>("mrsigner"));
    TT_TRY(const auto attributes, module.hex<8>("attributes"));
    info.module_attributes = little_endian<uint64_t>(attributes);
    TT_CHECK(module.hex<8>("attributesMask"));
    if (!document.has("tdxModuleIdentities")) return {};
    const JsonPlace place = document.place().at("tdxModuleIdentities");
    TT_TRY(const json::array* entries,
           document.array_or_empty("tdxModuleIdentities", tdx_module_identities_max));
    for (size_t i = 0; i < entries->size(); ++i) {
        TT_TRY(const JsonObject entry, JsonObject::of((*entries)[i], place.at(i)));
        TT_TRY(auto identity, parse_module_identity(entry));
        for (const TdxModuleIdentity& other : info.module_identities) {
            if (other.id == identity.id) return place.wrong("an id twice", "each once");
        }
        info.module_identities.push_back(std::move(identity));
    }
    return {};
}

// The head, and whose levels these are.
Result<void> parse_kind(const JsonObject& document, TcbInfo& info) {
    TT_TRY(info.head, parse_head(document));
    if (info.head.version == 2) return {};
    if (info.head.version != 3) {
        return document.place().at("version").wrong(std::to_string(info.head.version), "2 or 3");
    }
    TT_TRY(const std::string_view id, document.text("id"));
    if (id != "SGX" && id != "TDX") {
        return document.place().at("id").wrong(quote_foreign(id), "SGX or TDX");
    }
    info.tee = id == "TDX" ? TeeType::tdx : TeeType::sgx;
    return {};
}

}  // namespace

Result<TcbInfo> parse_tcb_info(std::string_view text) {
    constexpr std::string_view component = "TCB info";
    TT_TRY(const json::value value, parse_document(text, component));
    TT_TRY(const JsonObject document,
           JsonObject::of(value, {std::string(component), ErrorCode::collateral_malformed}));
    TcbInfo info;
    TT_CHECK(parse_kind(document, info));
    TT_TRY(info.fmspc, document.hex<6>("fmspc"));
    TT_TRY(info.pceid, document.hex<2>("pceId"));
    // Other types would say that components are compared in another way.
    TT_CHECK(document.number("tcbType", 0));
    if (info.tee == TeeType::tdx) {
        TT_CHECK(parse_modules(document, info));
    } else if (document.has("tdxModule") || document.has("tdxModuleIdentities")) {
        return document.place().wrong("TDX modules", "none in TCB info for SGX");
    }
    TT_CHECK(parse_tcb_levels(document, info));
    return info;
}

Result<QeIdentity> parse_qe_identity(std::string_view text) {
    constexpr std::string_view component = "QE identity";
    TT_TRY(const json::value value, parse_document(text, component));
    TT_TRY(const JsonObject document,
           JsonObject::of(value, {std::string(component), ErrorCode::collateral_malformed}));
    QeIdentity identity;
    TT_TRY(identity.head, parse_head(document));
    if (identity.head.version != 2 && identity.head.version != 3) {
        return document.place().at("version").wrong(std::to_string(identity.head.version),
                                                    "2 or 3");
    }
    TT_TRY(const std::string_view id, document.text("id"));
    if (id != "QE" && id != "TD_QE") {
        return document.place().at("id").wrong(quote_foreign(id), "QE or TD_QE");
    }
    identity.tee = id == "TD_QE" ? TeeType::tdx : TeeType::sgx;
    TT_TRY(const auto miscselect, document.hex<4>("miscselect"));
    TT_TRY(const auto miscselect_mask, document.hex<4>("miscselectMask"));
    identity.miscselect = little_endian<uint32_t>(miscselect);
    identity.miscselect_mask = little_endian<uint32_t>(miscselect_mask);
    TT_TRY(identity.attributes, document.hex<16>("attributes"));
    TT_TRY(identity.attributes_mask, document.hex<16>("attributesMask"));
    TT_TRY(identity.mrsigner, document.hex<32>("mrsigner"));
    TT_TRY(const uint64_t isvprodid, document.number("isvprodid", UINT16_MAX));
    identity.isvprodid = static_cast<uint16_t>(isvprodid);
    TT_TRY(identity.levels,
           parse_isv_levels(
               document,
               {TcbStatus::up_to_date, TcbStatus::configuration_needed, TcbStatus::out_of_date,
                TcbStatus::out_of_date_configuration_needed, TcbStatus::revoked}));
    return identity;
}

}  // namespace teetee::attest
