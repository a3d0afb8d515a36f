package dev.gptq.engine;

/** The functions in PyTorch's own language, loaded when this class is first used. */
final class Scripts {
    /** hardtanh(x, 0, 6), whose backward pass is one operation; that of clamp takes five. */
    static final TorchScript RELU6 = new TorchScript(
            """
              def forward(self: __torch__.Function, x: Tensor) -> Tensor:
                return torch.hardtanh(x, 0., 6.)
            """);

    /** A conversion with history. */
    static final TorchScript TO_FLOAT32 = new TorchScript(conversion("6"));

    static final TorchScript TO_FLOAT64 = new TorchScript(conversion("7"));

    /**
     * A list of {@code count} outputs, as many directions, and inputs -> the gradients of the sum of outputs * directions
     * with respect to the inputs; zeros where an input has no part in it.
     */
    static final TorchScript GRADIENTS = new TorchScript(gradients("False"));

    /** The same, after which the outputs' history is still there. */
    static final TorchScript GRADIENTS_KEEPING_GRAPH = new TorchScript(gradients("True"));

    private Scripts() {}

    /** {@code type} is PyTorch's number of it. */
    private static String conversion(String type) {
        return """
                  def forward(self: __torch__.Function, x: Tensor) -> Tensor:
                    return torch.to(x, %s)
                """
                .formatted(type);
    }

    private static String gradients(String keepGraph) {
        return """
                  def forward(self: __torch__.Function, arrays: List[Tensor], count: Tensor) -> List[Tensor]:
                    n = int(count)
                    outputs = torch.slice(arrays, 0, n)
                    inputs = torch.slice(arrays, torch.mul(n, 2))
                    directions = annotate(List[Optional[Tensor]], [])
                    for i in range(n):
                      _0 = torch.append(directions, arrays[torch.add(n, i)])
                    found = torch.grad(outputs, inputs, directions, %s, False, True)
                    gradients = annotate(List[Tensor], [])
                    for j in range(torch.len(found)):
                      gradient = found[j]
                      if torch.__is__(gradient, None):
                        known = torch.zeros_like(inputs[j])
                      else:
                        known = unchecked_cast(Tensor, gradient)
                      _1 = torch.append(gradients, known)
                    return gradients
                """
                .formatted(keepGraph);
    }
}
