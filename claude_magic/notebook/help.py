"""The help of `%%claude`, ready made: loading the extension reads no option table for it.

A test compares it with the table; `usage_text()` in options.py prints the part below the line.
"""

CLAUDE_HELP = """Ask Claude about this notebook; the answer streams in below the cell.

What was run since the last question goes along: source, text outputs, tracebacks, figures.

%claude [options] prompt
%%claude [options] [prompt]

Options:
  -m, --model MODEL    the model, by id or alias
                       -m opus
  -s, --system TEXT    the system prompt of this question
                       -s "Answer in French"
  -i, --image IMAGES   images: a variable or expression, path, URL, last:2, a count, #tag, none
                       -i fig,plot.png
  -c, --context CELLS  cells that go along: auto, none, above, last, last:2, 3-5, #tag
                       -c last:2
  -f, --file FILES     documents: a path, an address, or a variable that holds a table or text
                       -f paper.pdf,df
      --cite           have the reply cite the documents that go along, as footnotes
      --tools TOOLS    functions that the model may call: yours, built in, web, code, computer; none
                       --tools lookup,run_python
      --approve HOW    before a call: ask you, run it, or never run any (ask, auto, never)
                       --approve auto
      --steps N        how many rounds of tool calls; then the model sums up
                       --steps 5
      --app COMMAND    with --tools computer: a command that opens a program on the desktop
                       --app "l3afpad notes.txt"
      --json SHAPE     a reply in JSON: a model, dataclass, list[Model], a schema as a dict or file
                       --json list[Finding]
      --max-tokens N   the longest reply, in tokens
                       --max-tokens 500
      --stop TEXT      end the reply where this text would come
                       --stop "END"
      --prefill TEXT   how the reply starts
                       --prefill "The answer is ("
      --effort LEVEL   how hard the model tries (low, medium, high, xhigh, max)
                       --effort high
      --think HOW      thinking: shown, off, or as the model likes (show, off, auto)
                       --think show
  -o, --out NAME       the variable that gets the reply; with --json the value
                       -o answer
      --code           put the reply's code into new cells below
  -q, --quiet          no header and no footer
      --dry-run[=AS]   show request and price, ask nothing; or as a command (curl, python, count)
                       --dry-run=curl
      --fresh          ask again, even if this very request was answered before
      --alone          without the conversation, and not part of it
      --hires          images up to the model's limit, not 1568 pixels
      --raw            send {{ }} as it stands
      --reply TEXT     write the reply yourself: it joins the conversation, nothing is sent
                       --reply "Call the drug X"
  --                   end of the options: what follows is the prompt

Lists are given by commas or by repeating the option. Values with spaces are quoted.
A # comment may follow the options.

Examples:
  %claude What's the Latin name of the ant?
  %%claude -m opus -i fig,last --think show
  %%claude -i plots["a b"] -c none -o answer  # without the cells above
  %%claude --json list[Finding] -o findings  # a table, bound as objects
  %%claude --dry-run=curl -f notes.txt Summarise these notes
"""
