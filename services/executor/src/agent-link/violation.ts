/** The agent broke the rules of the link. The message names the rule, never what was sent. */
export class LinkViolation extends Error {
  override readonly name = "LinkViolation";
}
