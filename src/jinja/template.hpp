// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "base/world.hpp"
#include "jinja/limits.hpp"
#include "jinja/text.hpp"

namespace teetee::jinja {

struct Syntax;

/// The roles of a chat. As a member "role" they are the template's own text: a client can choose
/// among them but say nothing with them, and phi-3 makes its marks of them: '<|' + role + '|>'.
inline constexpr std::string_view chat_roles[] = {"system", "developer", "user", "assistant",
                                                  "tool"};

/// What a template is given.
struct Inputs {
    /// Its variables; every text in them is foreign, save for chat_roles.
    boost::json::object context;
    /// Variables whose texts are the template's own, such as bos_token; they win over `context`.
    std::map<std::string, std::string> trusted;
    /// For strftime_now, which prints UTC.
    UnixSeconds now = 0;
    RenderLimits limits;
};

/// A parsed template; immutable, safe to use from several threads. It behaves as Hugging Face's
/// apply_chat_template does: Jinja 3 in an immutable sandbox with trim_blocks and lstrip_blocks,
/// loop controls, generation blocks, tojson that leaves text as it is, raise_exception and
/// strftime_now. No file, clock or network is within its reach.
class Template {
  public:
    /// Errors: template_malformed with the line, template_unsupported, limit_exceeded,
    /// invalid_utf8.
    static Result<Template> parse(std::string_view source);

    Template(Template&&) noexcept;
    Template& operator=(Template&&) noexcept;
    ~Template();

    /// Takes at most about a second and `limits.memory_bytes_max`, whatever the template does.
    /// Errors: template_failed with the line (also where the template calls raise_exception),
    /// limit_exceeded. No error holds foreign text.
    Result<Text> render(const Inputs& inputs) const;

  private:
    explicit Template(std::unique_ptr<const Syntax> syntax);
    std::unique_ptr<const Syntax> syntax_;
};

}  // namespace teetee::jinja
