/// Messages as nodes of trees. A dummy stands for a message that is referred to and not there (RFC 5256 §3).
struct ThreadForest {
    typealias Node = Int32
    static let none: Node = -1

    /// Nodes below this are messages, by their index; the others dummies.
    let messageCount: Int
    private(set) var parents: [Node]
    private var firstChildren: [Node]
    private var lastChildren: [Node]
    private var nextSiblings: [Node]
    private var previousSiblings: [Node]
    /// Steps towards roots that may still be taken: a chain made to be long could cost the square of its length.
    private var stepsLeft: Int

    /// Enough for a hundred thousand messages in threads of hundreds; a fraction of a second.
    private static let maximumSteps = 50_000_000

    init(messageCount: Int) {
        self.messageCount = messageCount
        parents = Array(repeating: Self.none, count: messageCount)
        firstChildren = parents
        lastChildren = parents
        nextSiblings = parents
        previousSiblings = parents
        stepsLeft = Self.maximumSteps
    }

    var count: Int { parents.count }
    func isDummy(_ node: Node) -> Bool { Int(node) >= messageCount }
    func parent(_ node: Node) -> Node { parents[Int(node)] }
    func firstChild(_ node: Node) -> Node { firstChildren[Int(node)] }
    func lastChild(_ node: Node) -> Node { lastChildren[Int(node)] }
    func nextSibling(_ node: Node) -> Node { nextSiblings[Int(node)] }
    func previousSibling(_ node: Node) -> Node { previousSiblings[Int(node)] }
    func hasChildren(_ node: Node) -> Bool { firstChild(node) != Self.none }
    func hasManyChildren(_ node: Node) -> Bool { firstChild(node) != lastChild(node) }

    func children(_ node: Node) -> [Node] {
        var (children, child): ([Node], Node) = ([], firstChild(node))
        while child != Self.none {
            children.append(child)
            child = nextSibling(child)
        }
        return children
    }

    mutating func addDummy() -> Node {
        parents.append(Self.none)
        firstChildren.append(Self.none)
        lastChildren.append(Self.none)
        nextSiblings.append(Self.none)
        previousSiblings.append(Self.none)
        return Node(count - 1)
    }

    /// Makes a node the last child of another, wherever it was before.
    mutating func move(_ node: Node, under parent: Node) {
        detach(node)
        parents[Int(node)] = parent
        let last = lastChildren[Int(parent)]
        previousSiblings[Int(node)] = last
        if last == Self.none { firstChildren[Int(parent)] = node } else { nextSiblings[Int(last)] = node }
        lastChildren[Int(parent)] = node
    }

    mutating func detach(_ node: Node) {
        let parent = parents[Int(node)]
        guard parent != Self.none else { return }
        let (previous, next) = (previousSiblings[Int(node)], nextSiblings[Int(node)])
        if previous == Self.none { firstChildren[Int(parent)] = next } else { nextSiblings[Int(previous)] = next }
        if next == Self.none { lastChildren[Int(parent)] = previous } else { previousSiblings[Int(next)] = previous }
        parents[Int(node)] = Self.none
        previousSiblings[Int(node)] = Self.none
        nextSiblings[Int(node)] = Self.none
    }

    /// Puts the children of a node in this order.
    mutating func setChildren(_ node: Node, _ children: [Node]) {
        for child in children { detach(child) }
        for child in children { move(child, under: node) }
    }

    /// Whether a link would make a loop: whether the child is above the parent. When no more may be found out, it is
    /// taken for one.
    mutating func wouldLoop(_ child: Node, under parent: Node) -> Bool {
        // Mostly a message comes before those that answer it.
        guard hasChildren(child) else { return child == parent }
        var node = parent
        while node != Self.none {
            guard node != child, stepsLeft > 0 else { return true }
            stepsLeft -= 1
            node = parents[Int(node)]
        }
        return false
    }
}
