// SPDX-License-Identifier: Apache-2.0
#include "cli/line_editor.hpp"

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>

#include "cli/limits.hpp"

namespace teetee::cli {
namespace {

// XTerm Control Sequences, "Bracketed Paste Mode".
constexpr std::string_view paste_on = "\033[?2004h";
constexpr std::string_view paste_off = "\033[?2004l";
constexpr std::wstring_view paste_end = L"\033[201~";
/// Round what has no width in a prompt.
constexpr char escape_mark = '\1';
constexpr size_t paste_characters_max = 1u << 20;

void show(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

/// Characters are those of UTF-8 whatever the locale's language.
void use_utf8() {
    std::setlocale(LC_CTYPE, "");
    if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

struct LineEditor::Impl {
    EditLine* editor = nullptr;
    History* history = nullptr;
    std::string prompt;
    bool is_interrupted = false;
    bool takes_pastes = false;

    static Impl& of(EditLine* editor) {
        void* self = nullptr;
        el_get(editor, EL_CLIENTDATA, &self);
        return *static_cast<Impl*>(self);
    }

    static char* prompt_of(EditLine* editor) { return of(editor).prompt.data(); }

    static unsigned char on_interrupt(EditLine* editor, int) {
        of(editor).is_interrupted = true;
        return CC_NEWLINE;
    }

    /// Everything up to the mark of its end is text, also what would be a command; of what is too
    /// long the beginning. Characters are read whole: el_getc knows those of one byte alone.
    static unsigned char on_paste(EditLine* editor, int) {
        std::wstring text;
        wchar_t c = 0;
        while (el_wgetc(editor, &c) == 1) {
            // Nothing could be inserted behind one.
            if (c == L'\0') continue;
            text += c == L'\r' ? L'\n' : c;
            if (text.ends_with(paste_end)) {
                text.resize(text.size() - paste_end.size());
                break;
            }
            if (text.size() >= paste_characters_max + paste_end.size())
                text.erase(text.size() - paste_end.size(), 1);
        }
        // Not the last one, which would be in the way of what is typed behind it.
        while (text.ends_with(L'\n')) text.pop_back();
        el_winsertstr(editor, text.c_str());
        return CC_REFRESH;
    }

    void bind() {
        el_set(editor, EL_ADDFN, "teetee-interrupt", "Give up the line", &Impl::on_interrupt);
        el_set(editor, EL_ADDFN, "teetee-paste", "Insert what is pasted", &Impl::on_paste);
        // While a line is edited Ctrl-C is a key like others.
        el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
        el_set(editor, EL_BIND, "^C", "teetee-interrupt", nullptr);
        el_set(editor, EL_BIND, "\\e[200~", "teetee-paste", nullptr);
        el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
        el_set(editor, EL_BIND, "^W", "ed-delete-prev-word", nullptr);
        // As terminals send them that tell libedit otherwise, or nothing.
        for (const auto& [key, command] :
             {std::pair("\\e[A", "ed-prev-history"), std::pair("\\e[B", "ed-next-history"),
              std::pair("\\e[C", "ed-next-char"), std::pair("\\e[D", "ed-prev-char"),
              std::pair("\\e[H", "ed-move-to-beg"), std::pair("\\e[F", "ed-move-to-end"),
              std::pair("\\e[3~", "ed-delete-next-char"), std::pair("\\e[1;5C", "em-next-word"),
              std::pair("\\e[1;5D", "ed-prev-word")})
            el_set(editor, EL_BIND, key, command, nullptr);
    }
};

LineEditor::LineEditor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LineEditor::~LineEditor() {
    if (impl_->editor != nullptr) el_end(impl_->editor);
    if (impl_->history != nullptr) history_end(impl_->history);
}

Result<std::unique_ptr<LineEditor>> LineEditor::open() {
    use_utf8();
    std::unique_ptr<LineEditor> out(new LineEditor(std::make_unique<Impl>()));
    Impl& impl = *out->impl_;
    impl.editor = el_init("teetee", stdin, stderr, stderr);
    impl.history = history_init();
    if (impl.editor == nullptr || impl.history == nullptr)
        return fail(ErrorCode::io_failed, "the terminal cannot be edited on");
    HistEvent event;
    history(impl.history, &event, H_SETSIZE, static_cast<int>(history_lines_max));
    el_set(impl.editor, EL_CLIENTDATA, &impl);
    el_set(impl.editor, EL_PROMPT_ESC, &Impl::prompt_of, escape_mark);
    el_set(impl.editor, EL_EDITOR, "emacs");
    el_set(impl.editor, EL_HIST, history, impl.history);
    // For the size of the window, and to leave the terminal as it was.
    el_set(impl.editor, EL_SIGNAL, 1);
    impl.bind();
    const char* terminal = std::getenv("TERM");
    impl.takes_pastes = terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
    return out;
}

LineEditor::Typed LineEditor::read(const std::string& prompt) {
    impl_->prompt = prompt;
    impl_->is_interrupted = false;
    if (impl_->takes_pastes) show(paste_on);
    int count = 0;
    const char* line = el_gets(impl_->editor, &count);
    if (impl_->takes_pastes) show(paste_off);
    if (impl_->is_interrupted) {
        show("^C\n");
        return {End::interrupted, {}};
    }
    if (line == nullptr || count <= 0) return {End::input, {}};
    std::string_view text(line, static_cast<size_t>(count));
    if (text.ends_with('\n')) text.remove_suffix(1);
    return {End::line, std::string(text)};
}

void LineEditor::remember(const std::string& text) {
    HistEvent event;
    history(impl_->history, &event, H_ENTER, text.c_str());
}

}  // namespace teetee::cli
