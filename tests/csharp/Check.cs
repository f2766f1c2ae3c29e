// SPDX-License-Identifier: MIT
// Check.cs - the original's interface used as its programs do, on the backend that is named.
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Threading;
using IORing;

public static class Check
{
    private static int failures;

    private static void Expect(bool condition, string what)
    {
        if (condition) return;
        ++failures;
        Console.Error.WriteLine("not so: " + what);
    }

    private static Completion Next(IIORingGroup ring)
    {
        var done = new Completion[1];
        int count = ring.WaitCompletions(done, 1, 10000);
        Expect(count == 1, "a completion comes in time");
        ring.AdvanceCompletionQueue(1);
        return done[0];
    }

    private static int Result(IIORingGroup ring, ulong userData)
    {
        Completion done = Next(ring);
        Expect(done.UserData == userData, "it is of " + userData);
        return done.Result;
    }

    private static void CheckTransfers(IORingGroup ring)
    {
        IntPtr listener = ring.CreateListener("127.0.0.1", 0, 8);
        IntPtr theirs = ring.CreateSocket();
        IntPtr ours = IntPtr.Zero;
        using (var where = new SocketAddress(ring.ListenerAddress(listener)))
        {
            ring.PrepareAccept(listener, IntPtr.Zero, IntPtr.Zero, 1);
            ring.PrepareConnect(theirs, where.Pointer, where.Length, 2);
            for (int count = 0; count < 2; ++count)
            {
                Completion done = Next(ring);
                Expect(done.Result >= 0, "accept and connect succeed");
                if (done.UserData == 1) ours = (IntPtr)done.Result;
            }
        }
        using (IORingBuffer from = IORingBuffer.Create(IORingBuffer.Granularity))
        using (IORingBuffer into = IORingBuffer.Create(IORingBuffer.Granularity))
        {
            Expect(from.BufferId == -1, "it is not registered yet");
            int fromId = ring.RegisterBuffer(from), intoId = ring.RegisterBuffer(into);
            Expect(from.BufferId == fromId && fromId != intoId, "each has an id");
            long to = ring.RegisterSocket(theirs), at = ring.RegisterSocket(ours);
            int length, offset;
            IntPtr free = from.GetWriteSpan(out length, out offset);
            Expect(length == from.PhysicalSize, "all of it is free");
            Marshal.Copy(new byte[] { 1, 2, 3, 4 }, 0, free, 4);
            from.CommitWrite(4);
            IntPtr unused = from.GetReadSpan(out length, out offset);
            Expect(unused != IntPtr.Zero && length == 4, "four bytes are unread");
            ring.PrepareSendBuffer(to, fromId, offset, length, 3);
            Expect(Result(ring, 3) == 4, "four bytes are sent");
            from.CommitRead(4);
            into.GetWriteSpan(out length, out offset);
            ring.PrepareRecvBuffer(at, intoId, offset, length, 4);
            Expect(Result(ring, 4) == 4, "four bytes are received");
            into.CommitWrite(4);
            var got = new byte[4];
            Marshal.Copy(into.GetReadSpan(out length, out offset), got, 0, 4);
            Expect(got[0] == 1 && got[3] == 4, "the same bytes");
            bool refused = false;
            try { into.CommitRead(5); }
            catch (ArgumentOutOfRangeException) { refused = true; }
            Expect(refused && into.ReadableBytes == 4, "more than is there is refused");

            ring.UnregisterSocket(to);
            ring.PrepareSendBuffer(to, fromId, 0, 1, 5);
            Expect(Result(ring, 5) == -9, "a stale id is EBADF");
            ring.UnregisterBuffer(fromId);
            ring.UnregisterBuffer(intoId);
        }
        ring.PrepareShutdown(theirs, ShutdownHow.Write, 6);
        Expect(Result(ring, 6) == 0, "shutdown succeeds");
        ring.PreparePollAdd(ours, PollMask.In, 7);
        Expect((Result(ring, 7) & (int)PollMask.In) != 0, "the end is readable");
        ring.PrepareClose(ours, 8);
        Expect(Result(ring, 8) == 0, "close succeeds");
        ring.CloseSocket(theirs);
        ring.CloseListener(listener);
    }

    private static void CheckQueue(IORingGroup ring)
    {
        int prepared = 0;
        bool full = false;
        while (!full)
        {
            try { ring.PrepareCancel(12345, 100); ++prepared; }
            catch (InvalidOperationException) { full = true; }
        }
        var done = new Completion[256];
        int read = 0;
        while (read < prepared)
        {
            int count = ring.WaitCompletions(done, 1, 10000);
            if (count <= 0) break;
            read += count;
            ring.AdvanceCompletionQueue(count);
        }
        Expect(read == prepared, "a full queue loses nothing");
        Expect(ring.CompletionQueueCount == 0, "all was read");

        var helper = new Thread(() => ring.Post(9, 90));
        helper.Start();
        Expect(Result(ring, 9) == 90, "a post of another thread");
        helper.Join();
        Expect(ring.WaitCompletions(done, 1, 1) == 0, "the time ends a wait");
    }

    private static void CheckErrors()
    {
        try
        {
            IORingGroup.Create(64, "no such thing");
            Expect(false, "no backend of that name");
        }
        catch (Win32Exception error)
        {
            Expect(error.Message.Contains("no such thing"), "the error names it");
        }
    }

    public static int Main(string[] arguments)
    {
        IORingGroup ring;
        try { ring = IORingGroup.Create(64, arguments[0]); }
        catch (Win32Exception error)
        {
            Console.WriteLine(error.Message);
            return 77;
        }
        using (ring)
        {
            Expect(ring.BackendName == arguments[0], "the backend that was asked for");
            CheckTransfers(ring);
            CheckQueue(ring);
            CheckErrors();
        }
        Console.WriteLine(failures == 0 ? "ok" : failures + " failures");
        return failures == 0 ? 0 : 1;
    }
}
