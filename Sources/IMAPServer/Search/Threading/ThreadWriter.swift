import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

/// Writes THREAD's answer.
struct ThreadWriter {
    private var output = OutputBuffer()
    /// By message: what is written for it.
    private let numbers: [UInt32]

    init(numbers: [UInt32]) { self.numbers = numbers }

    // thread-list    = "(" (thread-members / thread-nested) ")"
    // thread-members = nz-number *(SP nz-number) [SP thread-nested]
    // thread-nested  = 2*thread-list          RFC 5256 §5
    static func written(_ forest: ThreadForest, _ roots: [ThreadForest.Node], numbers: [UInt32]) -> [UInt8] {
        var writer = ThreadWriter(numbers: numbers)
        for root in roots { writer.write(root, forest) }
        return writer.output.take()
    }

    /// ORDEREDSUBJECT: in each thread, the first message, and the others as its children.
    static func written(_ threads: [[Int]], numbers: [UInt32]) -> [UInt8] {
        var writer = ThreadWriter(numbers: numbers)
        for thread in threads where !thread.isEmpty {
            writer.open()
            writer.number(thread[0])
            if thread.count > 1 { writer.output.append(UInt8(ascii: " ")) }
            if thread.count == 2 { writer.number(thread[1]) }
            for message in thread.dropFirst() where thread.count > 2 {
                writer.open()
                writer.number(message)
                writer.close()
            }
            writer.close()
        }
        return writer.output.take()
    }

    private enum Task {
        case thread(ThreadForest.Node)
        case close
    }

    /// With a stack of its own: threads can be as deep as there are messages.
    private mutating func write(_ root: ThreadForest.Node, _ forest: ThreadForest) {
        var tasks = [Task.thread(root)]
        while let task = tasks.popLast() {
            guard case .thread(var node) = task else {
                close()
                continue
            }
            open()
            tasks.append(.close)
            if !forest.isDummy(node) { number(Int(node)) }
            // One after the other, as long as there is one.
            while forest.hasChildren(node), !forest.hasManyChildren(node) {
                if !forest.isDummy(node) { output.append(UInt8(ascii: " ")) }
                node = forest.firstChild(node)
                number(Int(node))
            }
            guard forest.hasChildren(node) else { continue }
            if !forest.isDummy(node) { output.append(UInt8(ascii: " ")) }
            var child = forest.lastChild(node)
            while child != ThreadForest.none {
                tasks.append(.thread(child))
                child = forest.previousSibling(child)
            }
        }
    }

    private mutating func open() { output.append(UInt8(ascii: "(")) }
    private mutating func close() { output.append(UInt8(ascii: ")")) }
    private mutating func number(_ message: Int) { output.append(decimal: numbers[message]) }
}

extension MessageSorting {
    /// RFC 5256 §3: by base subject, then by sent date; then threads by their first message's.
    func orderedSubjectThreads() -> [[Int]] {
        let sent = sentMoments()
        let subjects = ranks(.baseSubject)
        let order = order(by: [SortCriterion(.subject), SortCriterion(.date)])
        var threads: [[Int]] = []
        for index in order.lazy.map(Int.init) {
            if let last = threads.last?.first, subjects[last] == subjects[index] {
                threads[threads.count - 1].append(index)
            } else {
                threads.append([index])
            }
        }
        let keys = threads.map { (sent[$0[0]], $0[0]) }
        return threads.indices.sorted { keys[$0] < keys[$1] }.map { threads[$0] }
    }

    /// THREAD's answer; numbers by message.
    func threads(_ algorithm: ThreadAlgorithm, numbers: [UInt32]) -> [UInt8] {
        guard algorithm != .orderedSubject else {
            return ThreadWriter.written(orderedSubjectThreads(), numbers: numbers)
        }
        var references = MessageReferences(count: uids.count)
        table.forEachSegment(.threading, of: uids) { values, runs in
            guard case .threading(let column) = values else { return }
            for run in runs { references.take(run, of: column) }
        }
        let (forest, roots) = threads(algorithm, references)
        return ThreadWriter.written(forest, roots, numbers: numbers)
    }

    private func threads(
        _ algorithm: ThreadAlgorithm, _ references: MessageReferences
    ) -> (ThreadForest, [ThreadForest.Node]) {
        guard algorithm != .refs else {
            var arrived: [Int64] = []
            arrived.reserveCapacity(uids.count)
            for range in positions { view.forEach(in: range) { arrived.append($1.internalDate.seconds) } }
            var threading = ReferenceThreading(references: references, sent: sentMoments())
            return threading.runRefs(arrived: arrived)
        }
        let (subjects, isReply) = threadSubjects()
        var threading = ReferenceThreading(
            references: references, sent: sentMoments(), subjects: subjects, isReply: isReply)
        return threading.run()
    }

    /// By message: a number for its base subject, 0 for the empty one, and whether it is a reply or forward.
    private func threadSubjects() -> ([UInt32], [Bool]) {
        var subjects = [UInt32](repeating: 0, count: uids.count)
        var isReply = [Bool](repeating: false, count: uids.count)
        // Equal or not is all that is asked: a hash tells, whose key nobody knows.
        let hash = KeyedHash()
        var (known, count) = (NumberTable(capacity: uids.count), UInt32(0))
        table.forEachSegment(.baseSubject, of: uids) { values, runs in
            guard case .subjects(let texts, let replies) = values else { return }
            texts.octets.withUnsafeBytes { octets in
                for run in runs {
                    for offset in 0..<run.count {
                        isReply[run.index + offset] = replies[run.row + offset]
                        let range = texts.range(run.row + offset)
                        guard !range.isEmpty else { continue }
                        let key = hash(UnsafeRawBufferPointer(rebasing: octets[range]))
                        if known[key] == NumberTable.none {
                            count += 1
                            known[key] = Int32(count)
                        }
                        subjects[run.index + offset] = UInt32(known[key])
                    }
                }
            }
        }
        return (subjects, isReply)
    }
}
