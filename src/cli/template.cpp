// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>

#include <boost/json/parse.hpp>

#include "base/world.hpp"
#include "cli/model_file.hpp"
#include "model/chat_template.hpp"

namespace teetee::cli {
namespace {

struct TemplateOptions {
    std::string file;
    std::string model;
    UnixSeconds time = 0;
    bool has_time = false;
};

/// All of stdin. Error: limit_exceeded.
Result<std::string> read_context() {
    constexpr size_t context_bytes_max = 16 << 20;
    std::string text;
    std::array<char, 1 << 16> buffer;
    while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), stdin)) {
        text.append(buffer.data(), count);
        if (text.size() > context_bytes_max)
            return fail(ErrorCode::limit_exceeded,
                        "stdin: need at most " + std::to_string(context_bytes_max) + " bytes");
    }
    return text;
}

Result<boost::json::object> parse_context() {
    TT_TRY(const auto text, read_context());
    if (!is_utf8(text)) return fail(ErrorCode::invalid_utf8, "stdin: not UTF-8");
    boost::system::error_code failed;
    boost::json::parse_options options;
    options.max_depth = 128;
    auto context = boost::json::parse(text, failed, {}, options);
    if (failed || !context.is_object())
        return fail(ErrorCode::invalid_json,
                    "stdin: need one JSON object, the template's variables");
    return std::move(context.get_object());
}

Result<jinja::Text> render_file(const TemplateOptions& options, jinja::Inputs inputs) {
    TT_TRY(const auto source, net::read_file(options.file, jinja::source_bytes_max));
    auto parsed = jinja::Template::parse(as_text(source));
    if (!parsed) return in_context(options.file, std::move(parsed).error());
    auto text = parsed->render(inputs);
    if (!text) return in_context(options.file, std::move(text).error());
    return text;
}

Result<jinja::Text> render_model(const TemplateOptions& options, jinja::Inputs inputs) {
    TT_TRY(const auto file, ModelFile::open(options.model));
    TT_TRY(const auto vocabulary, model::vocabulary_from(file.gguf));
    TT_TRY(const auto chat, model::ChatTemplate::build(vocabulary));
    return chat.render(std::move(inputs.context), inputs.now);
}

Result<void> render(const TemplateOptions& options, Session& session) {
    if (options.file.empty() == options.model.empty())
        return fail(ErrorCode::invalid_argument, "need one of --file and --model");
    jinja::Inputs inputs;
    TT_TRY(inputs.context, parse_context());
    inputs.now = options.has_time ? options.time : SystemClock().unix_now();
    TT_TRY(const auto text, options.file.empty() ? render_model(options, std::move(inputs))
                                                 : render_file(options, std::move(inputs)));
    if (session.json) {
        print_json({{"text", text.bytes}});
    } else {
        print_text(text.bytes);
    }
    return {};
}

}  // namespace

void add_template(CLI::App& app, Session& session) {
    auto options = std::make_shared<TemplateOptions>();
    CLI::App* command =
        add_command(app, session, "template",
                    "Render a chat template with the JSON object on stdin, as Hugging Face does",
                    options, render);
    command->add_option("--file", options->file, "Jinja file");
    command->add_option("--model", options->model, "GGUF file that has a chat template");
    command
        ->add_option_function<UnixSeconds>(
            "--time",
            [options = options.get()](const UnixSeconds& time) {
                options->time = time;
                options->has_time = true;
            },
            "What strftime_now prints, in seconds since 1970 UTC")
        ->default_str("now");
}

}  // namespace teetee::cli
