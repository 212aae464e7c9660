// SPDX-License-Identifier: Apache-2.0
#include "cli/slot_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "attest/limits.hpp"
#include "cli/model_file.hpp"
#include "cli/state_folder.hpp"
#include "crypto/hash.hpp"
#include "hub/hugging_face.hpp"
#include "model/limits.hpp"
#include "model/shard.hpp"
#include "net/address.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

std::string hub_endpoint() {
    const char* named = std::getenv("HF_ENDPOINT");
    std::string out = named == nullptr || *named == '\0' ? std::string(hub::hugging_face_url)
                                                         : std::string(named);
    while (out.ends_with('/')) out.pop_back();
    return out;
}

bool is_of_hub(const std::string& url) {
    return url.starts_with(hub_endpoint() + "/");
}

PullOptions pull_options(const SlotFilesOptions& options) {
    PullOptions out;
    out.ca_file = options.ca_file;
    out.token_file = options.token_file;
    out.connections = options.connections;
    return out;
}

/// As it is told to people: a query may be a signature that lets anybody in.
std::string shown(const std::string& where) {
    return where.substr(0, where.find('?'));
}

/// Scheme, host and port.
std::string origin_of(const std::string& url) {
    const size_t host = url.find("://");
    return host == std::string::npos ? "" : url.substr(0, url.find_first_of("/?#", host + 3));
}

bool is_named(const SlotFilesOptions& options, const std::string& url) {
    std::vector<std::string> named = options.from;
    named.insert(named.end(), {options.manifest, options.policy});
    return std::ranges::any_of(named, [&](const std::string& one) {
        return !origin_of(one).empty() && origin_of(one) == origin_of(url);
    });
}

/// A hub's files may need its token, and --token-file is for servers that the command line names;
/// those that a pool names get none.
Result<PullEndpoint> endpoint_of(const SlotFilesOptions& slot, PullOptions& options,
                                 const std::string& url) {
    if (is_of_hub(url)) {
        return choose_endpoint(options, {.url = hub::hugging_face_url,
                                         .mirror_variable = "HF_ENDPOINT",
                                         .token_variable = "HF_TOKEN"});
    }
    if (!is_named(slot, url)) options.token_file.clear();
    return choose_endpoint(options,
                           {.url = shown(url), .mirror_variable = "", .token_variable = ""});
}

std::string hub_url(const hub::HfReference& reference, const std::string& file) {
    return hub::hf_file_url({.endpoint = hub_endpoint(),
                             .repository = reference.repository,
                             .commit = reference.revision},
                            file);
}

Result<hub::HfReference> parse_hub(std::string_view text) {
    TT_TRY(const auto reference, hub::parse_reference(text));
    const auto* hf = std::get_if<hub::HfReference>(&reference);
    if (hf != nullptr && hf->quantisation.empty()) return *hf;
    return fail(ErrorCode::invalid_argument,
                quote_foreign(text) + ": need hf:OWNER/NAME[/FILE][@REVISION]");
}

Result<std::string> url_of(const std::string& where) {
    if (!where.starts_with("hf:")) return where;
    TT_TRY(const auto hf, parse_hub(where));
    if (!hf.file.empty()) return hub_url(hf, hf.file);
    return fail(ErrorCode::invalid_argument, quote_foreign(where) + ": need hf:OWNER/NAME/FILE");
}

Result<std::string> read_text(const SlotFilesOptions& options, const std::string& where,
                              size_t bytes_max) {
    if (!is_remote(where)) {
        TT_TRY(const Bytes bytes, net::read_file(where, bytes_max));
        return std::string(as_text(bytes));
    }
    TT_TRY(const std::string url, url_of(where));
    PullOptions pull = pull_options(options);
    TT_TRY(const auto endpoint, endpoint_of(options, pull, url));
    const PullSession session(pull, endpoint);
    TT_TRY(auto answer, session.ask(url, "*/*", explain_url_status));
    if (answer.body.size() <= bytes_max) return std::move(answer.body);
    return fail(ErrorCode::limit_exceeded, fmt::format("{}: have {} bytes, need at most {}",
                                                       shown(url), answer.body.size(), bytes_max));
}

/// The first that says where it is: the flag, the folder's own file, the pool.
Result<std::string> place_of(std::string_view what, const std::string& flag, const std::string& own,
                             const std::string& uri) {
    if (!flag.empty()) return flag;
    std::error_code failed;
    if (!own.empty() && std::filesystem::exists(own, failed)) return own;
    if (is_remote(uri)) return uri;
    return fail(ErrorCode::invalid_argument,
                fmt::format("where the pool's {} is, {}: need --{} FILE or URL", what,
                            uri.empty() ? std::string("nobody has said")
                                        : "the pool says in a way that this program does not "
                                          "know, " +
                                              quote_foreign(uri),
                            what));
}

/// The folder's own is that of an earlier start: the pool may have another by now.
Result<std::string> read_policy(const SlotFilesOptions& options,
                                const chain::PolicyReference& named) {
    const auto is_the_pool_s = [&](std::string_view text) {
        return crypto::sha256(as_bytes(text)) == named.hash;
    };
    if (options.policy.empty()) {
        const auto own = net::read_file(options.folder.policy(), attest::policy_bytes_max);
        if (own && is_the_pool_s(as_text(*own))) return std::string(as_text(*own));
    }
    const bool has_place = !options.policy.empty() || is_remote(named.uri);
    TT_TRY(const std::string place,
           place_of("policy", options.policy, has_place ? "" : options.folder.policy(), named.uri));
    TT_TRY(auto text, read_text(options, place, attest::policy_bytes_max));
    if (is_the_pool_s(text)) return text;
    return fail(ErrorCode::policy_malformed,
                fmt::format("{}: have the policy 0x{}, need the pool's, 0x{}", shown(place),
                            to_hex(crypto::sha256(as_bytes(text))), to_hex(named.hash)));
}

Result<void> check_manifest(const model::Manifest& manifest, const chain::PoolRecord& pool) {
    if (manifest.model_root != pool.model_root) {
        return fail(ErrorCode::shard_mismatch,
                    fmt::format("manifest: have model root 0x{}, need the pool's, 0x{}",
                                to_hex(manifest.model_root), to_hex(pool.model_root)));
    }
    bool is_same = manifest.shards.size() == pool.slot_layers.size();
    for (size_t i = 0; is_same && i < manifest.shards.size(); ++i) {
        const LayerRange layers = manifest.shards[i].layers;
        is_same = layers.end - layers.begin == pool.slot_layers[i];
    }
    if (is_same) return {};
    return fail(ErrorCode::shard_mismatch,
                fmt::format("manifest: is of another cut of the model into {} shards, need that of "
                            "the pool's {} slots",
                            manifest.shards.size(), pool.slot_layers.size()));
}

Result<std::vector<std::string>> shard_places(const SlotFilesOptions& options,
                                              const std::string& manifest_place,
                                              const std::string& pool_uri,
                                              const std::string& file_name) {
    std::vector<std::string> named = options.from;
    if (named.empty() && is_remote(manifest_place)) named.push_back(manifest_place);
    if (named.empty() && is_remote(pool_uri)) named.push_back(pool_uri);
    std::vector<std::string> out;
    for (const std::string& where : named) {
        TT_TRY(auto url, url_beside(where, file_name));
        out.push_back(std::move(url));
    }
    return out;
}

/// The shard that lies in the folder already, if it is the one.
Result<bool> is_there(const SlotFolder& folder, const SlotTerms& terms, uint64_t slot) {
    std::error_code failed;
    if (!std::filesystem::exists(folder.shard(), failed)) return false;
    TT_TRY(const auto file, ModelFile::open(folder.shard()));
    const auto verified =
        model::verify_shard(file.gguf, terms.manifest, static_cast<uint32_t>(slot),
                            progress_bar("verifying " + folder.shard()));
    if (verified) return true;
    return fail(ErrorCode::already_exists,
                fmt::format("{} is there and is not slot {}'s ({}): remove it, or name another "
                            "folder with --dir",
                            folder.shard(), slot, verified.error().message()));
}

/// What differs on the disk is written, so that a folder that is only read will do.
Result<void> write_if_other(const std::string& path, const std::string& text) {
    const auto have = net::read_file(path, text.size() + 1);
    if (have && as_text(*have) == text) return {};
    return net::write_file_atomic(path, as_bytes(text));
}

Result<hub::Downloaded> download_shard(const SlotFilesOptions& options, const SlotTerms& terms,
                                       uint64_t slot, const std::string& url) {
    const auto index = static_cast<uint32_t>(slot);
    PullOptions pull = pull_options(options);
    TT_TRY(const auto endpoint, endpoint_of(options, pull, url));
    const PullSession session(pull, endpoint);
    PullFile file = {.url = url, .path = options.folder.shard(), .is_gguf = true};
    file.bytes = terms.manifest.shards[slot].file_bytes;
    file.explain = explain_url_status;
    file.check_index = [&](const model::Gguf& gguf) {
        return model::verify_shard_index(gguf, terms.manifest, index);
    };
    file.check_data = [&](const model::Gguf& gguf) {
        return model::verify_shard(gguf, terms.manifest, index, progress_bar("verifying"));
    };
    return session.fetch(file);
}

}  // namespace

bool is_remote(std::string_view where) {
    return where.starts_with("https://") || where.starts_with("http://") ||
           where.starts_with("hf:");
}

Result<std::string> url_beside(std::string_view named, const std::string& name) {
    if (named.starts_with("hf:")) {
        TT_TRY(const auto hf, parse_hub(named));
        if (hf.file.ends_with(".gguf")) return hub_url(hf, hf.file);
        const size_t slash = hf.file.rfind('/');
        return hub_url(hf, (slash == std::string::npos ? "" : hf.file.substr(0, slash + 1)) + name);
    }
    TT_CHECK(net::parse_url(named));
    std::string url(named.substr(0, named.find('#')));
    if (url.substr(0, url.find('?')).ends_with(".gguf")) return url;
    url.erase(std::min(url.find('?'), url.size()));
    const size_t slash = url.rfind('/');
    // The slashes of "https://" are no path.
    if (slash < url.find("://") + 3) return url + "/" + hub::encode_url_path(name);
    return url.substr(0, slash + 1) + hub::encode_url_path(name);
}

Result<SlotTerms> read_slot_terms(const SlotFilesOptions& options, const chain::PoolRecord& pool,
                                  uint64_t now, uint64_t slot) {
    SlotTerms out;
    TT_TRY(const std::string manifest,
           place_of("manifest", options.manifest, options.folder.manifest(), pool.manifest_uri));
    TT_TRY(out.manifest_text, read_text(options, manifest, model::manifest_bytes_max));
    auto parsed = model::parse_manifest(out.manifest_text);
    if (!parsed) return in_context(shown(manifest), std::move(parsed).error());
    out.manifest = std::move(*parsed);
    if (auto same = check_manifest(out.manifest, pool); !same)
        return in_context(shown(manifest), std::move(same).error());
    TT_TRY(out.shard_urls,
           shard_places(options, manifest, pool.manifest_uri, out.manifest.shards[slot].file_name));
    const chain::PolicyReference& named = pool.policy.at(now);
    TT_TRY(out.policy_text, read_policy(options, named));
    auto rules = attest::parse_policy(out.policy_text);
    if (!rules) return in_context("policy", std::move(rules).error());
    out.policy = std::move(*rules);
    return out;
}

Result<FetchedShard> fetch_slot(const SlotFilesOptions& options, const SlotTerms& terms,
                                uint64_t slot) {
    TT_CHECK(make_private_folder(options.folder.path));
    TT_CHECK(write_if_other(options.folder.manifest(), terms.manifest_text));
    TT_CHECK(write_if_other(options.folder.policy(), terms.policy_text));
    FetchedShard out{.bytes = terms.manifest.shards[slot].file_bytes};
    TT_TRY(out.was_there, is_there(options.folder, terms, slot));
    if (out.was_there) return out;
    Error failure = fail(ErrorCode::invalid_argument,
                         "nobody has said where the shard " +
                             quote_foreign(terms.manifest.shards[slot].file_name) +
                             " is: need --from URL, of the file or of the folder with it");
    for (const std::string& url : terms.shard_urls) {
        auto downloaded = download_shard(options, terms, slot, url);
        if (downloaded) {
            out.source = shown(url);
            out.fetched_bytes = downloaded->fetched_bytes;
            out.resumed_bytes = downloaded->resumed_bytes;
            return out;
        }
        failure = in_context(shown(url), std::move(downloaded).error());
        // What stops one stops all.
        if (failure.code == ErrorCode::cancelled || failure.code == ErrorCode::already_exists ||
            failure.code == ErrorCode::io_failed)
            return failure;
        if (&url != &terms.shard_urls.back()) PullSession::say(failure.message());
    }
    return failure;
}

}  // namespace teetee::cli
