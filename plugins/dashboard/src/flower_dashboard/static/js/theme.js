// The theme switch: System removes the key, so that a later change of the system's theme is followed.

const KEY = "flower-theme";

export function startTheme() {
  const select = document.getElementById("theme");
  if (!select) return;
  const show = () => {
    select.value = document.documentElement.dataset.theme ?? "";
  };
  show();
  select.addEventListener("change", () => {
    try {
      if (select.value) localStorage.setItem(KEY, select.value);
      else localStorage.removeItem(KEY);
    } catch {
      // Storage is blocked: the choice cannot be kept.
    }
    document.dispatchEvent(new Event("flower:theme"));
  });
  addEventListener("storage", show);
}
