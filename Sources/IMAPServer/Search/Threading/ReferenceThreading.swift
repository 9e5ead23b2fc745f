import IMAPSyntax

/// THREAD=REFERENCES (RFC 5256 §3) and THREAD=REFS. The steps are numbered as there.
struct ReferenceThreading {
    typealias Node = ThreadForest.Node

    private var forest: ThreadForest
    /// By message.
    private let sent: [Int64]
    private let arrived: [Int64]
    /// By message: equal for equal base subjects, 0 for the empty one; empty for REFS.
    private let subjects: [UInt32]
    private let isReply: [Bool]
    private var roots: [Node] = []

    /// - Parameters:
    ///   - references: by message, its identifier (0: none) and its ancestors'.
    init(
        references: [ArraySlice<UInt64>], sent: [Int64], arrived: [Int64], subjects: [UInt32] = [],
        isReply: [Bool] = []
    ) {
        forest = ThreadForest(messageCount: references.count)
        (self.sent, self.arrived, self.subjects, self.isReply) = (sent, arrived, subjects, isReply)
        link(references)
    }

    /// The roots in order; a node's children are in the forest.
    mutating func run(_ algorithm: ThreadAlgorithm) -> (ThreadForest, [Node]) {
        gatherRoots()
        sortChildren(of: roots)
        if algorithm == .refs {
            roots = sorted(roots, by: newest(in: roots))
        } else {
            sortRoots()
            if !subjects.isEmpty { gatherSubjects() }
            sortChildren(of: roots)
            sortRoots()
        }
        return (forest, roots)
    }

    // (1)

    private mutating func link(_ references: [ArraySlice<UInt64>]) {
        var nodes: [UInt64: Node] = [:]
        nodes.reserveCapacity(references.count)
        for (index, ids) in references.enumerated() {
            guard let own = ids.first, own != 0, nodes[own] == nil else { continue }
            nodes[own] = Node(index)
        }
        for (index, ids) in references.enumerated() {
            var last = ThreadForest.none
            for id in ids.dropFirst() {
                let node = nodes[id] ?? forest.addDummy()
                nodes[id] = node
                // (A)
                if last != ThreadForest.none, forest.parent(node) == ThreadForest.none,
                    !forest.wouldLoop(node, under: last)
                {
                    forest.move(node, under: last)
                }
                last = node
            }
            // (B)
            let message = Node(index)
            guard last != forest.parent(message) || last == ThreadForest.none else { continue }
            forest.detach(message)
            if last != ThreadForest.none, !forest.wouldLoop(message, under: last) { forest.move(message, under: last) }
        }
    }

    /// (2), (3): the roots, without dummies that hold nothing together.
    private mutating func gatherRoots() {
        let tops = (0..<Node(forest.count)).filter { forest.parent($0) == ThreadForest.none }
        for top in tops {
            prune(below: top)
            guard forest.isDummy(top) else {
                roots.append(top)
                continue
            }
            let children = forest.children(top)
            if children.count > 1 {
                roots.append(top)
            } else if let only = children.first {
                forest.detach(only)
                roots.append(only)
            }
        }
    }

    /// Leaves no dummy below a node: its children take its place.
    private mutating func prune(below top: Node) {
        for dummy in descendants(of: top).reversed() where forest.isDummy(dummy) {
            let parent = forest.parent(dummy)
            for child in forest.children(dummy) { forest.move(child, under: parent) }
            forest.detach(dummy)
        }
    }

    /// Parents before children.
    private func descendants(of top: Node) -> [Node] {
        var nodes = forest.children(top)
        var next = 0
        while next < nodes.count {
            var child = forest.firstChild(nodes[next])
            while child != ThreadForest.none {
                nodes.append(child)
                child = forest.nextSibling(child)
            }
            next += 1
        }
        return nodes
    }

    // (4), (6)

    /// Sorts all sets of siblings below the roots by sent date, the deepest first.
    private mutating func sortChildren(of tops: [Node]) {
        for top in tops {
            for node in descendants(of: top).reversed() + [top] {
                let children = forest.children(node)
                guard children.count > 1 else { continue }
                let order = sorted(children) { key(of: $0, sent) }
                if order != children { forest.setChildren(node, order) }
            }
        }
    }

    private mutating func sortRoots() { roots = sorted(roots) { key(of: $0, sent) } }

    /// A dummy sorts by its first child, which is sorted already.
    private func key(of node: Node, _ dates: [Int64]) -> Int64 {
        let message = firstMessage(of: node)
        return forest.isDummy(message) ? .min : dates[Int(message)]
    }

    private func firstMessage(of node: Node) -> Node {
        var node = node
        while forest.isDummy(node), forest.hasChildren(node) { node = forest.firstChild(node) }
        return node
    }

    private func sorted(_ nodes: [Node], by date: (Node) -> Int64) -> [Node] {
        let keys = nodes.map { (date($0), firstMessage(of: $0)) }
        return nodes.indices.sorted { keys[$0] < keys[$1] }.map { nodes[$0] }
    }

    /// REFS: a thread is as new as its newest message's arrival.
    private func newest(in tops: [Node]) -> (Node) -> Int64 {
        var newest: [Node: Int64] = [:]
        for top in tops {
            let messages = (descendants(of: top) + [top]).filter { !forest.isDummy($0) }
            newest[top] = messages.map { arrived[Int($0)] }.max()
        }
        return { newest[$0] ?? .min }
    }

    // (5)

    private mutating func gatherSubjects() {
        var table: [UInt32: Node] = [:]
        // (B)
        for node in roots {
            guard let subject = subject(of: node) else { continue }
            guard let held = table[subject] else {
                table[subject] = node
                continue
            }
            let isBetter = forest.isDummy(node) || (isReplyOrForward(held) && !isReplyOrForward(node))
            if !forest.isDummy(held), isBetter { table[subject] = node }
        }
        // (C)
        var merged: Set<Node> = []
        var replaced: [Node: Node] = [:]
        for node in roots {
            // One that has been made a child is a root no more.
            guard let subject = subject(of: node), let held = table[subject], held != node,
                forest.parent(node) == ThreadForest.none
            else { continue }
            if forest.isDummy(held) {
                merge(node, into: held)
            } else if isReplyOrForward(node), !isReplyOrForward(held) {
                forest.move(node, under: held)
            } else {
                let dummy = forest.addDummy()
                forest.move(held, under: dummy)
                forest.move(node, under: dummy)
                replaced[held] = dummy
                table[subject] = dummy
            }
            merged.insert(node)
        }
        roots = roots.compactMap { merged.contains($0) ? nil : replaced[$0] ?? $0 }
    }

    private mutating func merge(_ node: Node, into held: Node) {
        guard forest.isDummy(node) else { return forest.move(node, under: held) }
        for child in forest.children(node) { forest.move(child, under: held) }
    }

    /// Nil when it is empty.
    private func subject(of node: Node) -> UInt32? {
        let message = firstMessage(of: node)
        guard !forest.isDummy(message), subjects[Int(message)] > 0 else { return nil }
        return subjects[Int(message)]
    }

    private func isReplyOrForward(_ node: Node) -> Bool { !forest.isDummy(node) && isReply[Int(node)] }
}
