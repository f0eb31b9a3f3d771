// The page's whole behaviour: send what is typed, show what is answered, what is remembered, what is left.

const part = (id) => document.getElementById(id);
const NAMES = {
  requests_per_minute: "Requests/min",
  tenant_requests_per_minute: "All users/min",
  tokens_per_day: "Tokens/day",
};
const number = new Intl.NumberFormat();
let conversation = sessionStorage.getItem("conversation");

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options || {});
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) return data;
  const wait = answer.headers.get("Retry-After");
  const detail = typeof data.detail === "string" ? data.detail : "the service could not answer";
  throw Object.assign(new Error(wait ? `${detail}; try again in ${wait} s` : detail), { status: answer.status });
}

function say(role, text, how = "") {
  const line = element("li", "", role);
  line.append(element("span", role === "user" ? "You: " : "Answer: ", "hidden"), text);
  if (how) line.append(element("span", how, "how"));
  part("messages").append(line);
  part("welcome").hidden = true;
  part("log").scrollTop = part("log").scrollHeight;
  return line;
}

function showLimits(limits) {
  part("limits").replaceChildren(...limits.map((limit) => {
    const name = NAMES[limit.name] || limit.name.replaceAll("_", " ");
    const left = element("span", number.format(limit.remaining), "number");
    left.append(element("span", ` of ${number.format(limit.burst)}`, "of"));
    const title = element("div", name);
    title.append(left);
    const bar = Object.assign(element("meter"), { max: limit.burst, low: limit.burst / 5, value: limit.remaining });
    bar.setAttribute("aria-label", name);
    const line = element("li");
    line.append(title, bar);
    return line;
  }));
}

async function look(recalled = []) {
  const me = await ask("/api/me");
  part("who").textContent = `${me.name}, ${me.tenant} · model: ${me.model}`;
  part("count").textContent = `(${me.memories.length})`;
  const used = new Set(recalled.map((memory) => memory.content));
  part("memories").replaceChildren(
    ...me.memories.map((memory) => element("li", memory.content, used.has(memory.content) ? "used" : "")),
  );
  showLimits(me.limits);
}

function tell(problem) {
  part("problem").textContent = problem;
  part("problem").hidden = !problem;
}

function keep(id) {
  conversation = id;
  if (id) sessionStorage.setItem("conversation", id);
  else sessionStorage.removeItem("conversation");
}

async function send(text) {
  tell("");
  part("send").disabled = true;
  const mine = say("user", text);
  const waiting = say("assistant waiting", "…");
  try {
    const turn = await ask("/api/chat", { text, conversation_id: conversation });
    keep(turn.conversation_id);
    const calls = [...new Set(turn.calls)].map((name) => name.replace("-", " › ")).join(", ");
    waiting.remove();
    say("assistant", turn.answer, calls && `used ${calls} · ${turn.prompt_tokens + turn.completion_tokens} tokens`);
    await look(turn.recalled);
  } catch (error) {
    waiting.remove();
    mine.remove();
    part("text").value = text;
    tell(error.message);
  } finally {
    part("send").disabled = false;
    part("text").focus();
  }
}

function begin() {
  keep(null);
  tell("");
  part("messages").replaceChildren();
  part("welcome").hidden = false;
  part("text").focus();
}

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = part("text").value.trim();
  if (!text || part("send").disabled) return;
  part("text").value = "";
  send(text);
});
part("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    part("form").requestSubmit();
  }
});
part("new").addEventListener("click", begin);
for (const button of document.querySelectorAll(".try")) button.addEventListener("click", () => send(button.textContent));
if (matchMedia("(max-width: 46rem)").matches) document.querySelector("details").open = false;

async function restore() {
  if (!conversation) return;
  try {
    for (const message of await ask(`/api/conversations/${conversation}`)) say(message.role, message.text);
  } catch (error) {
    if (error.status !== 404) throw error;
    keep(null);
  }
}

Promise.all([look(), restore()]).catch((error) => tell(error.message));
