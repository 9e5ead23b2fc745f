import IMAPSyntax

/// For each of some messages its own identifier, 0 when it has none, and its ancestors', oldest first.
struct MessageReferences {
    private(set) var ids: [UInt64] = []
    private(set) var ranges: [Range<Int>]

    init(count: Int) { ranges = Array(repeating: 0..<0, count: count) }

    mutating func take(_ run: ColumnRun, of column: ThreadingColumn) {
        guard run.count > 0 else { return }
        let first = column.range(run.row).lowerBound
        let base = ids.count - first
        ids += column.ids[first..<column.range(run.row + run.count - 1).upperBound]
        for offset in 0..<run.count {
            let range = column.range(run.row + offset)
            ranges[run.index + offset] = base + range.lowerBound..<base + range.upperBound
        }
    }
}

/// THREAD=REFERENCES (RFC 5256 §3) and THREAD=REFS. The steps are numbered as there.
struct ReferenceThreading {
    typealias Node = ThreadForest.Node

    private var forest: ThreadForest
    /// By message.
    private let sent: [Int64]
    /// By message: equal for equal base subjects, 0 for the empty one; empty for REFS.
    private let subjects: [UInt32]
    private let isReply: [Bool]
    private var roots: [Node] = []

    init(references: MessageReferences, sent: [Int64], subjects: [UInt32] = [], isReply: [Bool] = []) {
        forest = ThreadForest(messageCount: references.ranges.count)
        (self.sent, self.subjects, self.isReply) = (sent, subjects, isReply)
        link(references)
    }

    /// REFERENCES: the roots in order; a node's children are in the forest.
    mutating func run() -> (ThreadForest, [Node]) {
        gatherRoots()
        sortChildren()
        sortRoots()
        if !subjects.isEmpty { gatherSubjects() }
        sortChildren()
        sortRoots()
        return (forest, roots)
    }

    /// REFS: a thread is as new as its newest message.
    /// - Parameter arrived: by message.
    mutating func runRefs(arrived: [Int64]) -> (ThreadForest, [Node]) {
        gatherRoots()
        sortChildren()
        let newest = newest(arrived)
        sortRoots { newest[Int($0)] }
        return (forest, roots)
    }

    // (1)

    private mutating func link(_ references: MessageReferences) {
        var nodes = NumberTable(capacity: references.ranges.count)
        for (index, range) in references.ranges.enumerated() {
            guard let first = range.first, references.ids[first] != 0 else { continue }
            if nodes[references.ids[first]] == NumberTable.none { nodes[references.ids[first]] = Node(index) }
        }
        for (index, range) in references.ranges.enumerated() {
            var last = ThreadForest.none
            for place in range.dropFirst() {
                let node = node(references.ids[place], &nodes)
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

    private mutating func node(_ id: UInt64, _ nodes: inout NumberTable) -> Node {
        let known = nodes[id]
        guard known == NumberTable.none else { return known }
        let dummy = forest.addDummy()
        nodes[id] = dummy
        return dummy
    }

    /// (2), (3): the roots, without dummies that hold nothing together. Of other dummies the children take the place.
    private mutating func gatherRoots() {
        for dummy in Node(forest.messageCount)..<Node(forest.count) {
            let parent = forest.parent(dummy)
            guard parent != ThreadForest.none else { continue }
            while forest.hasChildren(dummy) { forest.move(forest.firstChild(dummy), under: parent) }
            forest.detach(dummy)
        }
        for top in 0..<Node(forest.count) where forest.parent(top) == ThreadForest.none {
            if !forest.isDummy(top) || forest.hasManyChildren(top) { roots.append(top) }
        }
        for dummy in Node(forest.messageCount)..<Node(forest.count)
        where forest.hasChildren(dummy) && !forest.hasManyChildren(dummy) {
            let only = forest.firstChild(dummy)
            forest.detach(only)
            roots.append(only)
        }
    }

    // (4), (6)

    /// Sorts all sets of siblings below the roots by sent date. Dummies have none: they are roots.
    private mutating func sortChildren() {
        for node in 0..<Node(forest.count) where forest.hasManyChildren(node) {
            let children = forest.children(node)
            let keys = children.map { (sent[Int($0)], $0) }
            let isSorted = zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }
            if !isSorted { forest.setChildren(node, keys.sorted { $0 < $1 }.map(\.1)) }
        }
    }

    private mutating func sortRoots() {
        let sent = sent
        sortRoots { sent[Int($0)] }
    }

    /// By date, then in the mailbox's order. A dummy stands where its first child would, which is sorted already.
    private mutating func sortRoots(by date: (Node) -> Int64) {
        let messages = roots.map { firstMessage(of: $0) }
        let dates = messages.map { date($0) }
        let earliest = dates.min() ?? 0
        var order = Array(0..<UInt32(roots.count))
        StableSorting.sort(&order, by: messages.map { UInt64($0) })
        StableSorting.sort(&order, by: dates.map { UInt64(bitPattern: $0 &- earliest) })
        roots = order.map { roots[Int($0)] }
    }

    /// The node itself, or its first child: a dummy that is left has some, and they are messages.
    private func firstMessage(of node: Node) -> Node { forest.isDummy(node) ? forest.firstChild(node) : node }

    /// By message that comes first in a thread: the thread's newest arrival.
    private func newest(_ arrived: [Int64]) -> [Int64] {
        var newest = arrived
        var stack: [Node] = []
        for root in roots {
            let first = Int(firstMessage(of: root))
            stack.append(root)
            while let node = stack.popLast() {
                if !forest.isDummy(node) { newest[first] = max(newest[first], arrived[Int(node)]) }
                var child = forest.firstChild(node)
                while child != ThreadForest.none {
                    stack.append(child)
                    child = forest.nextSibling(child)
                }
            }
        }
        return newest
    }

    // (5)

    private mutating func gatherSubjects() {
        // By subject.
        var table = [Node](repeating: ThreadForest.none, count: Int(subjects.max() ?? 0) + 1)
        // (B)
        for node in roots {
            let subject = subject(of: node)
            guard subject > 0 else { continue }
            let held = table[subject]
            guard held != ThreadForest.none else {
                table[subject] = node
                continue
            }
            let isBetter = forest.isDummy(node) || (isReplyOrForward(held) && !isReplyOrForward(node))
            if !forest.isDummy(held), isBetter { table[subject] = node }
        }
        // (C)
        var isMerged = [Bool](repeating: false, count: forest.count)
        var replaced: [Node: Node] = [:]
        for node in roots {
            // One that has been made a child is a root no more.
            let subject = subject(of: node)
            guard subject > 0, table[subject] != node, forest.parent(node) == ThreadForest.none else { continue }
            let held = table[subject]
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
            isMerged[Int(node)] = true
        }
        roots = roots.compactMap { isMerged[Int($0)] ? nil : replaced[$0] ?? $0 }
    }

    private mutating func merge(_ node: Node, into held: Node) {
        guard forest.isDummy(node) else { return forest.move(node, under: held) }
        for child in forest.children(node) { forest.move(child, under: held) }
    }

    /// 0 when it is empty.
    private func subject(of node: Node) -> Int { Int(subjects[Int(firstMessage(of: node))]) }

    private func isReplyOrForward(_ node: Node) -> Bool { !forest.isDummy(node) && isReply[Int(node)] }
}
